/**
 * Takes over what a feed has heard: observations, positions and counts are one transaction, so that each event counts
 * once, whenever this process or the other one ends.
 *
 * @module
 */
import type { Item } from "../../../src/client/mod.ts";
import type { Position } from "../../../src/protocol/event.ts";
import type { FeedCounts, FeedRecords } from "./feed-records.ts";
import { applyRules } from "./feed-rules.ts";
import type { Observation } from "./observation.ts";
import type { FeedSettings } from "./settings.ts";

/** What a subscription has brought. */
export interface Heard {
  /** As it was subscribed. */
  readonly channel: string;
  /** Null where it has only come further. */
  readonly item: Item | null;
  /** Everything up to it was heard. */
  readonly position: Position;
}

export interface FeedBatchParts {
  readonly name: string;
  readonly settings: FeedSettings;
  readonly records: FeedRecords;
  readonly futureMs: number;
  readonly now: () => number;
  /** Takes observations over, each for itself; what there is no room for is left out. */
  readonly record: (
    observations: readonly Observation[],
  ) => { recorded: number; late: number; refused: number };
}

/** Note what was heard. In a transaction. @returns how many holes there were */
export function takeOver(
  { name, settings, records, futureMs, now, record }: FeedBatchParts,
  heard: readonly Heard[],
): number {
  const counts = records.counts(name);
  const positions = new Map<string, Position>();
  let gaps = 0;
  for (const { channel, item, position } of heard) {
    if (item?.type === "gap") gaps++;
    else {
      const known = positions.get(channel) ?? records.position(name, channel);
      // Seen already.
      if (known?.epoch === position.epoch && position.seq <= known.seq) continue;
    }
    positions.set(channel, position);
    if (item?.type !== "event") continue;
    const rules = settings.channels[channel]!;
    const { observations, ignored } = applyRules(rules, item, { source: name, now: now(), futureMs });
    const result = record(observations);
    add(counts, {
      events: 1,
      observations: result.recorded,
      late: result.late,
      refused: result.refused,
      ignored,
    });
  }
  add(counts, { gaps });
  for (const [channel, position] of positions) records.savePosition(name, channel, position);
  records.saveCounts(name, counts);
  return gaps;
}

function add(counts: FeedCounts, more: Partial<FeedCounts>): void {
  for (const [name, by] of Object.entries(more)) counts[name as keyof FeedCounts] += by;
}
