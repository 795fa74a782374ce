/**
 * What is in a record, found out by reading all of it once: what a service needs to know to bring it again, and whether
 * the file is whole.
 *
 * @module
 */
import { kindOf } from "../../protocol/channel-name.ts";
import type { RecordEnding, Recording } from "../../recording/read-record.ts";
import { type RecordEntry, RecordError, type RecordHeader } from "../../recording/record.ts";
import { type Part, selectionOf } from "./selection.ts";

export interface Survey {
  readonly header: RecordHeader;
  readonly ending: RecordEnding;
  /** Kinds of channels, each with whether its channels have an id. */
  readonly kinds: ReadonlyMap<string, boolean>;
  /** Channels that have events, the first ones of very many. */
  readonly channels: ReadonlySet<string>;
  /** Names of events, each with the kind of channel that it was first heard in. */
  readonly events: ReadonlyMap<string, string>;
  /** How many events there are. */
  readonly count: number;
  readonly gaps: number;
  /** Moment of the last line, in milliseconds. */
  readonly lastAt: number;
  /** How many events are in the part that is wanted. */
  readonly wanted: number;
  /** The last event of the channels that are wanted, wherever the part begins. */
  readonly last: { readonly at: number; readonly seq: number | undefined } | null;
}

export interface SurveyOptions {
  /** What is wanted of it. @default all */
  readonly part?: Part;
  /** Called for each line, for a word about how far it is. */
  readonly each?: (entry: RecordEntry) => void;
  /** Whether somebody wishes it to end. */
  readonly isStopped?: () => boolean;
}

/** Of what a real service has a few dozen. More would only fill the memory. */
export const MAX_NAMES = 10_000;

/**
 * Read a record to its end.
 *
 * @returns null where somebody wished it to end.
 * @throws {RecordError} where it is damaged, or no service can be made of it.
 */
export async function surveyRecord(
  record: Recording,
  name: string,
  { part = {}, each = () => {}, isStopped = () => false }: SurveyOptions = {},
): Promise<Survey | null> {
  const kinds = new Map<string, boolean>();
  const channels = new Set<string>();
  const events = new Map<string, string>();
  const counts = { count: 0, gaps: 0, lastAt: 0, wanted: 0 };
  const isOfChannels = selectionOf(record.header, { channels: part.channels });
  const isWanted = selectionOf(record.header, part);
  let last: Survey["last"] = null;
  const takeChannel = (channel: string): void => {
    const kind = kindOf(channel);
    const hasId = channel.includes(":");
    if ((kinds.get(kind) ?? hasId) !== hasId) {
      throw new RecordError(
        `${name}: expected channels of kind "${kind}" to have an id all, or none, got both: it cannot be replayed`,
      );
    }
    if (kinds.size < MAX_NAMES) kinds.set(kind, hasId);
  };
  for (const channel of record.header.channels) takeChannel(channel);
  for await (const entry of record.entries()) {
    if (isStopped()) return null;
    counts.lastAt = entry.at;
    const isInPart = isWanted(entry);
    if (entry.type === "gap") counts.gaps++;
    if (entry.type === "event") {
      counts.count++;
      takeChannel(entry.channel);
      if (channels.size < MAX_NAMES) channels.add(entry.channel);
      if (isInPart) counts.wanted++;
      if (isOfChannels(entry)) last = { at: entry.at, seq: entry.seq };
      if (!events.has(entry.event)) events.set(entry.event, kindOf(entry.channel));
      if (events.size > MAX_NAMES) {
        throw new RecordError(`${name}: expected at most ${MAX_NAMES} names of events, got more`);
      }
    }
    each(entry);
  }
  return { header: record.header, ending: record.ending ?? "cut", kinds, channels, events, last, ...counts };
}
