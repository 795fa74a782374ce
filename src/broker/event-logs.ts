/**
 * Events in memory, by channel and by kind of channel. Both hold the same entries: a channel drops its oldest, and the
 * kind, where that one may stand in the middle, passes over it until it is worth while to close the holes.
 *
 * @module
 */
import type { SequencedEvent } from "../protocol/event.ts";
import { Deque } from "./deque.ts";

export interface Entry {
  readonly event: SequencedEvent;
  /** Wall clock of the append, never below that of an earlier entry. */
  readonly at: number;
  readonly bytes: number;
  /** No longer in its channel. */
  dropped: boolean;
}

export class ChannelLog {
  readonly name: string;
  /** Seq of the newest event, kept or not. */
  seq = 0;
  /** Seq of the newest event that is no longer kept. */
  evicted: number;
  bytes = 0;
  readonly #entries = new Deque<Entry>();

  constructor(name: string, evicted: number) {
    this.name = name;
    this.evicted = evicted;
  }

  get length(): number {
    return this.#entries.length;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    this.bytes += entry.bytes;
    this.seq = entry.event.seq;
  }

  /** Undo `add`. */
  takeBack(seq: number): void {
    this.bytes -= this.#entries.pop()?.bytes ?? 0;
    this.seq = seq;
  }

  /** Drop the oldest. There is one. */
  drop(): Entry {
    const entry = this.#entries.shift()!;
    this.bytes -= entry.bytes;
    this.evicted = entry.event.seq;
    return entry;
  }

  /** Undo `drop`. */
  putBack(entry: Entry, evicted: number): void {
    this.#entries.unshift(entry);
    this.bytes += entry.bytes;
    this.evicted = evicted;
  }

  read(after: number, limit: number, maxBytes: number): SequencedEvent[] {
    return eventsFrom(this.#entries, after, limit, maxBytes);
  }

  last(count: number, maxBytes: number): SequencedEvent[] {
    return lastEvents(this.#entries, count, maxBytes);
  }

  tail(count: number): number | null {
    return tailOf(this.#entries, count, this.evicted);
  }
}

export class KindLog {
  readonly name: string;
  /** Highest seq of an event that was kept and is not any more. */
  evicted = 0;
  /** Highest seq of a channel that was forgotten. */
  forgotten = 0;
  readonly #entries = new Deque<Entry>();
  /** How many entries in front are known to be dropped, and how many are in all. */
  #leading = 0;
  #holes = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** The oldest entry that is kept. */
  get oldest(): Entry | undefined {
    while (this.#entries.at(this.#leading)?.dropped) this.#leading++;
    return this.#entries.at(this.#leading);
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
  }

  /** Undo `add`. */
  takeBack(): void {
    this.#entries.pop();
    this.#leading = Math.min(this.#leading, this.#entries.length);
  }

  /** The entry was dropped by its channel. */
  dropped(entry: Entry): void {
    entry.dropped = true;
    this.#holes++;
    this.evicted = Math.max(this.evicted, entry.event.seq);
  }

  /** Undo `dropped`. */
  putBack(entry: Entry, evicted: number): void {
    entry.dropped = false;
    this.#holes--;
    this.#leading = 0;
    this.evicted = evicted;
  }

  /** Let go of dropped entries. Not while one of them may be put back. */
  tidy(): void {
    for (; this.#entries.at(0)?.dropped; this.#holes--) this.#entries.shift();
    this.#leading = 0;
    if (this.#holes < 64 || this.#holes * 2 < this.#entries.length) return;
    this.#entries.keep((entry) => !entry.dropped);
    this.#holes = 0;
  }

  read(after: number, limit: number, maxBytes: number): SequencedEvent[] {
    return eventsFrom(this.#entries, after, limit, maxBytes);
  }

  last(count: number, maxBytes: number): SequencedEvent[] {
    return lastEvents(this.#entries, count, maxBytes);
  }

  tail(count: number): number | null {
    return tailOf(this.#entries, count, this.evicted);
  }
}

function eventsFrom(
  entries: Deque<Entry>,
  after: number,
  limit: number,
  maxBytes: number,
): SequencedEvent[] {
  const events: SequencedEvent[] = [];
  let bytes = 0;
  for (let index = entries.firstIndex(({ event }) => event.seq > after); events.length < limit; index++) {
    const entry = entries.at(index);
    if (!entry) break;
    if (entry.dropped) continue;
    bytes += entry.bytes;
    if (bytes > maxBytes && events.length > 0) break;
    events.push(entry.event);
  }
  return events;
}

function lastEvents(entries: Deque<Entry>, count: number, maxBytes: number): SequencedEvent[] {
  const events: SequencedEvent[] = [];
  let bytes = 0;
  for (let index = entries.length - 1; index >= 0 && events.length < count; index--) {
    const entry = entries.at(index) as Entry;
    if (entry.dropped) continue;
    bytes += entry.bytes;
    if (bytes > maxBytes && events.length > 0) break;
    events.push(entry.event);
  }
  return events.reverse();
}

/** @param evicted where the scope's hole ends that lies nearest to the present */
function tailOf(entries: Deque<Entry>, count: number, evicted: number): number | null {
  // What lies behind the hole is all there.
  const first = entries.firstIndex(({ event }) => event.seq > evicted);
  const from = entries.at(Math.max(first, entries.length - count));
  return count > 0 && from ? from.event.seq - 1 : null;
}
