/**
 * A request and what a person or a program is told of its answer: what `request` and `publish` have in common.
 *
 * @module
 */
import process from "node:process";
import type { Command } from "commander";
import { RequestError } from "../client/mod.ts";
import { systemClock } from "../ports/clock.ts";
import type { JsonObject } from "../protocol/json.ts";
import { EXIT_CODES } from "../server/exit-codes.ts";
import type { ExitCode } from "./command.ts";
import { readDuration } from "./duration.ts";
import { withClient } from "./reach/connect.ts";
import { type Reached, type ServiceFlags, withServiceFlags } from "./reach/reach.ts";
import { span } from "./terminal/ago.ts";
import { paintJson } from "./terminal/paint-json.ts";
import { paintFor } from "./terminal/paint.ts";
import { plainJson } from "./terminal/plain-text.ts";
import { canRedraw, Screen } from "./terminal/screen.ts";

export interface AskFlags extends ServiceFlags {
  /** Milliseconds. */
  readonly timeout?: number;
  readonly idempotencyKey?: string;
  readonly json?: boolean;
}

const TIMEOUT_MS = 30_000;

export const ASK_EXIT_CODES =
  "Exit codes: 0 done; 1 the service refuses or cannot be reached; 2 usage; 3 no answer in time; 4 not authorized.";

export function withAskFlags(command: Command): Command {
  command
    .option(
      "--timeout <TIME>",
      "How long the answer may take: 500ms, 30s, 10m. Default: 30s",
      (text) => readDuration("--timeout", text),
    )
    .option("--idempotency-key <KEY>", "Done once for this key, however often it is sent")
    .option("--json", "One line of JSON, errors of the service too");
  return withServiceFlags(command);
}

/** Send it, and print the answer. */
export async function ask(
  reached: Reached,
  request: string,
  data: JsonObject,
  { timeout = TIMEOUT_MS, idempotencyKey, json = false }: AskFlags,
): Promise<ExitCode> {
  const options = { timeoutMs: timeout, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) };
  const work = withClient(reached, async (client) => {
    try {
      return await client.request(request as "ping", data as Record<string, never>, options);
    } catch (error) {
      if (json && error instanceof RequestError) {
        console.log(plainJson({ error_code: error.code, error_message: error.message }));
      }
      throw error;
    }
  }, timeout);
  const answer = await meanwhile(reached.name, work);
  const isRead = process.stdout.isTTY === true && !json;
  console.log(isRead ? paintJson(answer, paintFor(process.stdout, process.env)) : plainJson(answer));
  return EXIT_CODES.done;
}

const TICK_MS = 1_000;

/** A person at a terminal sees that a long answer is still waited for. */
async function meanwhile<Answer>(name: string, work: Promise<Answer>): Promise<Answer> {
  const hasStatus = canRedraw(process.stderr, process.env);
  const screen = new Screen(process.stderr, { hasStatus, gone: () => {} });
  const begun = systemClock.monotonic();
  const stop = systemClock.every(TICK_MS, () => {
    screen.status(`${name}: no answer yet, ${span(systemClock.monotonic() - begun)}`);
  });
  try {
    return await work;
  } finally {
    stop();
    screen.status("");
  }
}
