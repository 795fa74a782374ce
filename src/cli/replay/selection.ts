/**
 * Which part of a record is replayed.
 *
 * @module
 */
import { kindOf } from "../../protocol/channel-name.ts";
import type { RecordEntry, RecordHeader } from "../../recording/record.ts";
import { isFrom, type Start } from "./start.ts";

export interface Part {
  /** @default its beginning */
  readonly from?: Start | undefined;
  /** Names of channels, or `kind:*`. @default all */
  readonly channels?: readonly string[] | undefined;
}

/** Whether a line belongs to the part. To be asked of each line of a record, in order, from the first one. */
export function selectionOf(header: RecordHeader, { from, channels }: Part): (entry: RecordEntry) => boolean {
  const wants = channelFilter(channels);
  let hasBegun = from === undefined;
  return (entry) => {
    hasBegun ||= isFrom(from!, header, entry);
    return hasBegun && "channel" in entry && wants(entry.channel);
  };
}

function channelFilter(channels: readonly string[] | undefined): (channel: string) => boolean {
  if (channels === undefined || channels.length === 0) return () => true;
  const names = new Set(channels);
  return (channel) => names.has(channel) || names.has(`${kindOf(channel)}:*`);
}
