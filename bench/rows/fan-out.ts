/**
 * One publisher, and subscribers of one channel who hear of everything: single events, and bursts within one tick. All
 * servers are given the same pace, so that processor time per delivery can be compared.
 *
 * @module
 */
import type { Fielded } from "../fielded.ts";
import { type Figures, figuresOf } from "../results.ts";
import type { SubjectName } from "../subjects.ts";
import { type Case, type Effort, fieldSuite, type Suite } from "../suite.ts";

/** In all. */
const DELIVERIES_PER_SECOND = 50_000;
/** Bursts do not follow each other faster than this, in milliseconds. */
const LEAST_PAUSE_MS = 2;

const EVERYBODY: readonly SubjectName[] = [
  "node",
  "ws",
  "socketIo",
  "bun",
  "bunPublish",
  "deno",
  "denoLoop",
  "pythonLoop",
  "pythonBroadcast",
];

export function fanOutRow(subscribers: number, burst: number): string {
  const events = burst === 1 ? "single events" : `${burst} events a tick`;
  return `fan-out to ${subscribers.toLocaleString("en")}, ${events}`;
}

export function fanOut(subscribers: number): Suite {
  return fieldSuite({
    name: `fan-out-${subscribers}`,
    subjects: EVERYBODY,
    field: { subscribers, publishers: 1 },
    cases: [1, 10, 50].map((burst): Case => ({
      row: fanOutRow(subscribers, burst),
      measure: (fielded, effort) => measure(fielded, effort, subscribers, burst),
    })),
  });
}

async function measure(
  fielded: Fielded,
  effort: Effort,
  subscribers: number,
  burst: number,
): Promise<Figures> {
  const perBurst = subscribers * burst;
  const everyMs = Math.max(LEAST_PAUSE_MS, perBurst * 1_000 / DELIVERIES_PER_SECOND);
  const longest = 1_000 * effort.deliveries / DELIVERIES_PER_SECOND;
  const bursts = Math.max(1, Math.round(Math.min(effort.deliveries / perBurst, longest / everyMs)));
  const told = await fielded.order("pace", { bursts, burst, everyMs });
  return figuresOf(told.deliveries, told);
}
