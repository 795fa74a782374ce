/**
 * Requests and answers of 50 connections. Ours go the full way: permission, input check, counters, idempotency key. The
 * peer parses what it gets and writes it again.
 *
 * @module
 */
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
      const { cpuMs, answers, elapsedMs, p50, p99, p999 } = await fielded.order<
        { answers: number; elapsedMs: number; p50: number; p99: number; p999: number }
      >("echo", { window, ms: MEASURED_MS });
      return { perSecond: answers / elapsedMs * 1_000, cpuUs: cpuMs * 1_000 / answers, p50, p99, p999 };
    },
  })),
});
