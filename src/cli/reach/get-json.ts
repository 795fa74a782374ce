/**
 * What a service says of itself over HTTP, where it says it soon.
 *
 * @module
 */
import type { Clock } from "../../ports/clock.ts";
import { isJsonObject, type JsonObject } from "../../protocol/json-value.ts";
import { parseJson } from "../../protocol/json.ts";
import type { Ask } from "../mcp/ask.ts";

/** How long an answer may take, in milliseconds. */
export const ANSWER_MS = 5_000;

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
 * @throws {Error} where nobody is there, or it speaks otherwise.
 */
export async function getJson(
  ask: Ask,
  url: string,
  { clock, headers = {} }: { readonly clock: Clock; readonly headers?: Readonly<Record<string, string>> },
): Promise<JsonAnswer> {
  const controller = new AbortController();
  const cancel = clock.after(ANSWER_MS, () => controller.abort());
  try {
    const answer = await ask(url, { method: "GET", headers, signal: controller.signal });
    const parsed = parseJson(await answer.text());
    return { status: answer.status, body: parsed.ok && isJsonObject(parsed.value) ? parsed.value : {} };
  } catch (error) {
    throw controller.signal.aborted ? new NoAnswer() : error;
  } finally {
    cancel();
  }
}
