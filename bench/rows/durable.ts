/**
 * Requests that change state in a database file and tell 500 subscribers of it, 16 under way at a time.
 *
 * @module
 */
import { join } from "node:path";
import { figuresOf } from "../results.ts";
import { inScratch } from "../scratch.ts";
import { fieldSuite, type Suite } from "../suite.ts";

export const DURABLE_ROW = "state and one event to 500 by a request, 16 under way";

const SUBSCRIBERS = 500;
const OUTSTANDING = 16;
const MEASURED_MS = 2_000;

export const durable: Suite = {
  name: "durable",
  run: (effort, results) => inScratch((folder) => suiteIn(folder).run(effort, results)),
  profile: (effort, profiles) => inScratch((folder) => suiteIn(folder).profile!(effort, profiles)),
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
        const told = await fielded.order("publish", { window: OUTSTANDING, ms: MEASURED_MS });
        return figuresOf(told.events, told);
      },
    }],
  });
}
