/**
 * Requests and answers of 50 connections. Ours go the full way: permission, input check, counters, idempotency key. The
 * peer parses what it gets and writes it again.
 *
 * @module
 */
import { figuresOf, type Told } from "../results.ts";
import { fieldSuite } from "../suite.ts";

const CONNECTIONS = 50;
const MEASURED_MS = 1_500;

export const WINDOWS = [1, 10] as const;

export function requestsRow(window: number): string {
  return `requests of ${CONNECTIONS} connections, ${window} outstanding`;
}

export const requests = fieldSuite({
  name: "requests",
  subjects: ["node", "ws", "bun", "deno"],
  field: { subscribers: 0, publishers: CONNECTIONS },
  cases: WINDOWS.map((window) => ({
    row: requestsRow(window),
    async measure(fielded) {
      const told = await fielded.order<Told & { answers: number }>("echo", { window, ms: MEASURED_MS });
      return figuresOf(told.answers, told);
    },
  })),
});
