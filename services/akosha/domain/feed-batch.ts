/**
 * Takes over what a feed has heard: observations, positions and counts are one transaction, so that each event counts
 * once, whenever this process or the other one ends.
 *
 * @module
 */
import type { FeedFrame, FeedPosition } from "./feed-frames.ts";
import type { FeedCounts, FeedRecords } from "./feed-records.ts";
import { applyRules } from "./feed-rules.ts";
import type { Observation } from "./observation.ts";
import type { FeedSettings } from "./settings.ts";

export type ChannelFrame = Extract<FeedFrame, { readonly type: "event" | "position" | "gap" }>;

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

/** Says of a frame's channel which of the subscribed ones it came by. */
export function subscribedAs(channels: FeedSettings["channels"], channel: string): string | null {
  if (Object.hasOwn(channels, channel)) return channel;
  const kind = `${channel.split(":")[0]}:*`;
  return channel.includes(":") && Object.hasOwn(channels, kind) ? kind : null;
}

/** Note what was heard. In a transaction. @returns how many holes there were */
export function takeOver(
  { name, settings, records, futureMs, now, record }: FeedBatchParts,
  frames: readonly ChannelFrame[],
): number {
  const counts = records.counts(name);
  const positions = new Map<string, FeedPosition | null>();
  let gaps = 0;
  for (const frame of frames) {
    const channel = subscribedAs(settings.channels, frame.channel);
    if (channel === null) {
      counts.garbage++;
      continue;
    }
    const known = positions.has(channel) ? positions.get(channel)! : records.position(name, channel);
    const { epoch, seq } = frame;
    // Seen already: what is replayed begins where we were.
    if (frame.type !== "gap" && known?.epoch === epoch && seq <= known.seq) continue;
    positions.set(channel, known?.epoch === epoch && seq < known.seq ? known : { epoch, seq });
    if (frame.type === "gap") gaps++;
    if (frame.type !== "event") continue;
    const rules = settings.channels[channel]!;
    const { observations, ignored } = applyRules(rules, frame, { source: name, now: now(), futureMs });
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
  for (const [channel, position] of positions) {
    if (position) records.savePosition(name, channel, position);
  }
  records.saveCounts(name, counts);
  return gaps;
}

function add(counts: FeedCounts, more: Partial<FeedCounts>): void {
  for (const [name, by] of Object.entries(more)) counts[name as keyof FeedCounts] += by;
}
