/**
 * What a service says of itself over HTTP, where it says it soon.
 *
 * @module
 */
import { readUpTo } from "../../limits/read-up-to.ts";
import type { Clock } from "../../ports/clock.ts";
import { isJsonObject, type JsonObject } from "../../protocol/json-value.ts";
import { parseJson } from "../../protocol/json.ts";
import type { Ask } from "../mcp/ask.ts";

/** How long an answer may take, in milliseconds. */
export const ANSWER_MS = 5_000;

/** Longer answers are not read to their end. */
const MAX_ANSWER_BYTES = 1_048_576;

/** No answer came in time. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";

  constructor() {
    super(`no answer in ${ANSWER_MS / 1_000} seconds`);
  }
}

export interface JsonAnswer {
  readonly status: number;
  /** Empty where what came is no JSON object. */
  readonly body: JsonObject;
}

/**
 * @param options.headers With the token, where one is needed.
 * @throws {NoAnswer}
 * @throws {Error} where nobody is there, or it speaks otherwise, or without end.
 */
export async function getJson(
  ask: Ask,
  url: string,
  { clock, headers = {} }: { readonly clock: Clock; readonly headers?: Readonly<Record<string, string>> },
): Promise<JsonAnswer> {
  const controller = new AbortController();
  let isLate = false;
  const cancel = clock.after(ANSWER_MS, () => {
    isLate = true;
    controller.abort();
  });
  try {
    const answer = await ask(url, { method: "GET", headers, signal: controller.signal });
    const bytes = await readUpTo(answer.body, MAX_ANSWER_BYTES);
    if (bytes === null) {
      controller.abort();
      throw new Error(`its answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    }
    const parsed = parseJson(new TextDecoder().decode(bytes));
    return { status: answer.status, body: parsed.ok && isJsonObject(parsed.value) ? parsed.value : {} };
  } catch (error) {
    throw isLate ? new NoAnswer() : error;
  } finally {
    cancel();
  }
}
