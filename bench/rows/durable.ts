/**
 * Requests that change state in a database file and tell 500 subscribers of it, 16 under way at a time.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fieldSuite, type Suite } from "../suite.ts";

export const DURABLE_ROW = "state and one event to 500 by a request, 16 under way";

const SUBSCRIBERS = 500;
const OUTSTANDING = 16;
const MEASURED_MS = 2_000;

export const durable: Suite = {
  name: "durable",
  async run(effort, results) {
    const folder = mkdtempSync(join(tmpdir(), "realtime-bench-"));
    try {
      await suiteIn(folder).run(effort, results);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function suiteIn(folder: string): Suite {
  return fieldSuite({
    name: "durable",
    subjects: ["node"],
    field: { subscribers: SUBSCRIBERS, publishers: 1, channel: "news" },
    extra: [join(folder, "bench.db")],
    cases: [{
      row: DURABLE_ROW,
      async measure(fielded) {
        const { cpuMs, events, elapsedMs, p50, p99, p999, lost } = await fielded.order("publish", {
          window: OUTSTANDING,
          ms: MEASURED_MS,
        });
        return {
          perSecond: events / elapsedMs * 1_000,
          cpuUs: cpuMs * 1_000 / events,
          p50,
          p99,
          p999,
          lost,
        };
      },
    }],
  });
}
