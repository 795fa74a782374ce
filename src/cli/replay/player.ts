/**
 * Brings the events of a record again, as far apart as they were, or faster, or slower.
 *
 * @module
 */
import type { Clock } from "../../ports/clock.ts";
import { stringifyJson } from "../../protocol/json.ts";
import type { RecordedEvent, RecordEntry, RecordHeader } from "../../recording/record.ts";
import { atMost } from "../pause.ts";
import { type Part, selectionOf } from "./selection.ts";

/** Events that are brought in one go, and their bytes. */
const MAX_BATCH = 100;
const MAX_BATCH_BYTES = 1_048_576;
/** Counted for each event beside its data. */
const ENVELOPE_BYTES = 250;

export interface PlayerOptions extends Part {
  readonly header: RecordHeader;
  readonly entries: AsyncIterable<RecordEntry>;
  /** 2 brings what came in a minute in half of one; Infinity brings all at once. @default 1 */
  readonly speed?: number | undefined;
  readonly emit: (events: readonly RecordedEvent[], bytes: number) => void;
  /** Waited for after each `emit`: gives others their turn, and readers the time to read. */
  readonly settled: () => Promise<void>;
  readonly clock: Clock;
  /** Somebody wishes it to end. */
  readonly stopped: Promise<void>;
}

/** What was brought. */
export interface Played {
  readonly events: number;
  /** Gaps that the record tells of, in what was brought: events are missing there. */
  readonly gaps: number;
  readonly isComplete: boolean;
}

/** Resolves when all was brought, or somebody wished it to end. Silence before the first event is left out. */
export async function play(options: PlayerOptions): Promise<Played> {
  const { header, entries, speed = 1, clock, stopped } = options;
  const takes = selectionOf(header, options);
  let isStopped = false;
  void stopped.then(() => isStopped = true);
  let origin: { readonly at: number; readonly monotonic: number } | null = null;
  let batch: RecordedEvent[] = [];
  let bytes = 0;
  let events = 0;
  let gaps = 0;
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    options.emit(batch, bytes);
    events += batch.length;
    [batch, bytes] = [[], 0];
    await Promise.race([options.settled(), stopped]);
  };
  for await (const entry of entries) {
    if (isStopped) break;
    if (!takes(entry)) continue;
    if (entry.type === "gap") gaps++;
    if (entry.type !== "event") continue;
    origin ??= { at: entry.at, monotonic: clock.monotonic() };
    const due = origin.monotonic + (entry.at - origin.at) / speed;
    if (due > clock.monotonic()) await flush();
    for (let left = due - clock.monotonic(); left > 0 && !isStopped; left = due - clock.monotonic()) {
      await atMost(clock, left, stopped);
    }
    if (isStopped) break;
    batch.push(entry);
    bytes += stringifyJson(entry.data).length + ENVELOPE_BYTES;
    if (batch.length >= MAX_BATCH || bytes >= MAX_BATCH_BYTES) await flush();
  }
  if (!isStopped) await flush();
  return { events, gaps, isComplete: !isStopped };
}
