/**
 * Judges what one subscription has brought, from its beginning to its end, against what was said.
 *
 * @module
 */
import type { Item } from "../../src/client/mod.ts";

/** An event, as it was given its place. */
export interface Said {
  readonly channel: string;
  readonly seq: number;
  readonly id: string;
}

/** A subscription that has ended. */
export interface Stay {
  /** `doc:a`, or `doc:*`. */
  readonly name: string;
  /** Everything after this seq belongs to it … */
  readonly start: number;
  /** … up to this one. */
  readonly end: number;
  readonly items: readonly Item[];
}

/** Whether the event is one of a channel, or of the wildcard over it. */
export function isOf(name: string, { channel }: Said): boolean {
  return name === channel || name.endsWith(":*");
}

/**
 * What is wrong with it, in sentences.
 *
 * @param said in order
 * @param kept how many events of a channel the server keeps
 */
export function faultsOf(stay: Stay, said: readonly Said[], kept: number): string[] {
  const mine = said.filter((event) => isOf(stay.name, event));
  return [...order(stay, mine), ...holes(stay, mine), ...needlessGaps(stay, said, kept)]
    .map((fault) => `${stay.name} from ${stay.start} to ${stay.end}: ${fault}`);
}

/** In each channel newer events follow older ones, and nothing follows that was told to be lost. */
function order({ name, start, items }: Stay, mine: readonly Said[]): string[] {
  const faults: string[] = [];
  const known = new Map(mine.map((event) => [event.seq, event]));
  const newest = new Map<string, number>();
  const lost = new Map<string, number>();
  for (const item of items) {
    if (item.type === "gap") lost.set(item.channel, Math.max(lost.get(item.channel) ?? 0, item.to!));
    if (item.type !== "event") continue;
    const { channel, id, seq = 0 } = item;
    const event = known.get(seq);
    if (event?.id !== id || event.channel !== channel) faults.push(`${seq} of ${channel} was never said`);
    const before = Math.max(
      start,
      lost.get(name) ?? 0,
      lost.get(channel) ?? 0,
      newest.get(channel) ?? 0,
    );
    if (seq <= before) faults.push(`${seq} of ${channel} comes after ${before}`);
    newest.set(channel, Math.max(seq, before));
  }
  return faults;
}

function holes({ start, end, items }: Stay, mine: readonly Said[]): string[] {
  const brought = new Set(items.flatMap((item) => item.type === "event" ? [item.seq] : []));
  const gaps = items.filter((item) => item.type === "gap");
  return mine
    .filter(({ seq }) => seq > start && seq <= end && !brought.has(seq))
    .filter((event) =>
      !gaps.some(({ channel, from, to }) => isOf(channel, event) && event.seq > from! && event.seq <= to!)
    )
    .map(({ channel, seq }) => `${seq} of ${channel} is missing`);
}

/** A gap is told where the server had dropped something by then. A channel is told of those of its wildcard, too. */
function needlessGaps({ items }: Stay, said: readonly Said[], kept: number): string[] {
  return items.flatMap((item) => {
    if (item.type !== "gap") return [];
    const { from, to, cause } = item;
    const newer = new Map<string, number>();
    const isNeeded = said.filter(({ seq }) => seq > from! && seq <= to!).some(({ channel }) => {
      newer.set(channel, (newer.get(channel) ?? 0) + 1);
      return newer.get(channel)! > kept;
    });
    return isNeeded && cause === "history" ? [] : [`nothing was lost from ${from} to ${to} (${cause})`];
  });
}
