/**
 * What is claimed, and whether it holds.
 *
 * @module
 */
import type { Figure, Results } from "./results.ts";
import { CROWDED_ROW, LONELY_ROW } from "./rows/channels.ts";
import { DURABLE_ROW } from "./rows/durable.ts";
import { fanOutRow } from "./rows/fan-out.ts";
import { HEAP_ROW } from "./rows/memory.ts";
import { requestsRow } from "./rows/requests.ts";
import { BOUNDLESS_ROW, saturatedRow, WINDOWS } from "./rows/saturated.ts";
import { ONE_ROW, SIX_ROW } from "./rows/start-up.ts";
import type { SubjectName } from "./subjects.ts";
import { titleOf } from "./suite.ts";

export interface Bar {
  readonly what: string;
  /** The value may be at most, or must be at least, this. */
  readonly sense: "at most" | "at least";
  readonly limit: number;
  readonly unit: string;
  /** What it is judged by. */
  readonly rows: readonly string[];
  /** Where the bar cannot be met, or not on every machine: what must hold all the same, and why. */
  readonly short?: Short;
  /** Null where not all of it was measured. */
  value(results: Results): number | null;
}

export interface Short {
  readonly limit: number;
  /** What a profile shows. */
  readonly why: string;
}

/** `short`: not met, as far as can be explained. */
export type Verdict = "holds" | "short" | "missed";

export interface Judged extends Bar {
  readonly measured: number;
  readonly verdict: Verdict;
}

/** Slowest delivery that still counts as delivered in time, in milliseconds. */
const IN_TIME_MS = 50;
const KIB = 1_024;
const MIB = 1_048_576;

const KERNEL_WRITES =
  "both servers write once for each delivery, and three quarters of our time and of theirs is the kernel's part of it";
const BUN_OUTBOXES =
  "Bun publishes without leaving its engine; ours calls it once for each subscriber, as each outbox has its own bound";
const FULL_PATH =
  "an echo spends most of its time in the kernel as we do, and the checks, counters, key and envelope of ours come on top";
const PAUSES = "one pause of the machine, or of either process, in a hundred bursts decides it";
const OTHER_WORK =
  "held where the machine does nothing else; with other work on it the caches are not ours alone";
const JUST_IN_TIME =
  "64 events under way take 46 of the 50 ms that are in time; a slower machine takes longer, and then none of them counts";
const GROWING =
  "what the kernel keeps of 5,000 sockets is more than the caches hold; the bare loop grows by as much";
const SLOWER_DISK =
  "an absolute figure: a slower machine needs more for SQLite's log and the kernel's writes";

const SINGLE = fanOutRow(500, 1);
const SATURATED = WINDOWS.map(saturatedRow);

export const BARS: readonly Bar[] = [
  {
    ...cpu("Node, single events to 500", SINGLE, "node", "ws", 0.80),
    short: { limit: 1.2, why: KERNEL_WRITES },
  },
  cpu("Node, single events to 500", SINGLE, "node", "socketIo", 0.80),
  cpu("Node, single events to 500", SINGLE, "node", "pythonLoop", 0.70),
  {
    ...cpu("Node, 10 events a tick", fanOutRow(500, 10), "node", "ws", 0.15),
    short: { limit: 0.25, why: OTHER_WORK },
  },
  {
    ...cpu("Node, 50 events a tick", fanOutRow(500, 50), "node", "ws", 0.07),
    short: { limit: 0.12, why: OTHER_WORK },
  },
  {
    ...cpu("Bun, single events to 500", SINGLE, "bun", "bunPublish", 1.10),
    short: { limit: 1.8, why: BUN_OUTBOXES },
  },
  {
    ...cpu("Bun, 10 events a tick", fanOutRow(500, 10), "bun", "bunPublish", 1.30),
    short: { limit: 1.8, why: BUN_OUTBOXES },
  },
  {
    ...cpu("Deno, single events to 500", SINGLE, "deno", "denoLoop", 1.15),
    short: { limit: 1.4, why: OTHER_WORK },
  },
  cpu("Deno, 10 events a tick", fanOutRow(500, 10), "deno", "denoLoop", 0.25),
  {
    ...ratio("p99 of single events to 500, Node", "p99", [SINGLE, "node"], [SINGLE, "ws"], "at most", 1),
    short: { limit: 5, why: PAUSES },
  },
  {
    what: "state and one event to 500 by a request, 16 under way, Node",
    sense: "at least",
    limit: 5_000,
    unit: "requests/s",
    rows: [DURABLE_ROW],
    short: { limit: 3_000, why: SLOWER_DISK },
    value: (results) => results.median(DURABLE_ROW, titleOf("node"), "perSecond"),
  },
  { ...saturated(16, "ws", 25), short: { limit: 0, why: JUST_IN_TIME } },
  { ...saturated(16, "socketIo", 25), short: { limit: 0, why: JUST_IN_TIME } },
  saturated(4, "ws", 12),
  saturated(4, "socketIo", 12),
  {
    what: "memory more, with publishers that ignore the window",
    sense: "at most",
    limit: 256,
    unit: "MiB",
    rows: [BOUNDLESS_ROW],
    value: (results) => per(results.most(BOUNDLESS_ROW, titleOf("node"), "bytes"), MIB),
  },
  ...[...SATURATED, BOUNDLESS_ROW, DURABLE_ROW, ...[10, 500, 5_000].map((count) => fanOutRow(count, 1))].map(
    nothingLost,
  ),
  {
    what: "idle connection beyond that of a bare ws server, Node",
    sense: "at most",
    limit: 1.5,
    unit: "KiB",
    rows: [HEAP_ROW],
    value(results) {
      const [ours, bare] = [titleOf("node"), titleOf("ws")].map((who) =>
        results.median(HEAP_ROW, who, "bytes")
      );
      return ours == null || bare == null ? null : (ours - bare) / KIB;
    },
  },
  { ...requested(1, 0.80), short: { limit: 0.6, why: FULL_PATH } },
  { ...requested(10, 1.5), short: { limit: 1, why: FULL_PATH } },
  seconds(ONE_ROW, 0.25),
  seconds(SIX_ROW, 0.35),
  {
    ...ratio(
      "CPU per delivery to 5,000, of that to 500, Node",
      "cpuUs",
      [fanOutRow(5_000, 1), "node"],
      [SINGLE, "node"],
      "at most",
      1.25,
    ),
    short: { limit: 1.6, why: GROWING },
  },
  cpu("Node, single events to 5,000", fanOutRow(5_000, 1), "node", "ws", 0.95),
  ratio(
    "CPU per publish to a channel of 1, with 50,000 others",
    "cpuUs",
    [CROWDED_ROW, "node"],
    [
      LONELY_ROW,
      "node",
    ],
    "at most",
    1.1,
  ),
];

/** Those bars for which everything was measured. */
export function judge(results: Results): Judged[] {
  return BARS.flatMap((bar) => {
    const measured = bar.value(results);
    if (measured === null) return [];
    const within = (limit: number) => bar.sense === "at most" ? measured <= limit : measured >= limit;
    const verdict = within(bar.limit) ? "holds" : bar.short && within(bar.short.limit) ? "short" : "missed";
    return [{ ...bar, measured, verdict }];
  });
}

function cpu(what: string, row: string, ours: SubjectName, peer: SubjectName, limit: number): Bar {
  return ratio(`CPU per delivery: ${what}`, "cpuUs", [row, ours], [row, peer], "at most", limit);
}

function ratio(
  what: string,
  figure: Figure,
  [row, ours]: readonly [string, SubjectName],
  [peerRow, peer]: readonly [string, SubjectName],
  sense: Bar["sense"],
  limit: number,
): Bar {
  const [of, to] = [{ row, contestant: titleOf(ours) }, { row: peerRow, contestant: titleOf(peer) }];
  return {
    what: ours === peer ? what : `${what} : ${to.contestant}`,
    sense,
    limit,
    unit: "×",
    rows: [...new Set([row, peerRow])],
    value: (results) => results.ratio(figure, of, to),
  };
}

function requested(window: number, limit: number): Bar {
  const row = requestsRow(window);
  const what = `requests, ${window} outstanding, Node`;
  return ratio(what, "perSecond", [row, "node"], [row, "ws"], "at least", limit);
}

/** Our deliveries per second with a window, against the most that a peer brings in time with any. */
function saturated(window: number, peer: SubjectName, limit: number): Bar {
  return {
    what: `deliveries/s in time, 4 publishers with ${window} unanswered, Node : best of ${titleOf(peer)}`,
    sense: "at least",
    limit,
    unit: "×",
    rows: SATURATED,
    value(results) {
      const ours = inTime(results, saturatedRow(window), "node");
      const theirs = Math.max(...SATURATED.map((row) => inTime(results, row, peer) ?? 0));
      if (ours === null || SATURATED.every((row) => inTime(results, row, peer) === null)) return null;
      return theirs > 0 ? ours / theirs : ours > 0 ? Infinity : 0;
    },
  };
}

/** 0 where they came too late. */
function inTime(results: Results, row: string, subject: SubjectName): number | null {
  const p99 = results.median(row, titleOf(subject), "p99");
  if (p99 === null) return null;
  return p99 <= IN_TIME_MS ? results.median(row, titleOf(subject), "perSecond") : 0;
}

function nothingLost(row: string): Bar {
  return {
    what: `lost: ${row}, Node`,
    sense: "at most",
    limit: 0,
    unit: "deliveries",
    rows: [row],
    value: (results) => results.most(row, titleOf("node"), "lost"),
  };
}

function seconds(row: string, limit: number): Bar {
  const value = (results: Results) => per(results.median(row, titleOf("node"), "ms"), 1_000);
  return { what: `${row}, Node`, sense: "at most", limit, unit: "s", rows: [row], value };
}

function per(value: number | null, unit: number): number | null {
  return value === null ? null : value / unit;
}
