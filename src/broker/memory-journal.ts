/**
 * The journal without a database: the same history as `storage/event-table.ts` keeps, until the process ends. Then its
 * epoch ends too, so that clients learn that history is lost. See `Journal` for what it promises.
 *
 * A transaction undoes the events that were appended in it. State is the caller's affair.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";
import { DEFAULT_RETENTION, type Journal, type RetentionOf, type Scope } from "../ports/journal.ts";
import type { Counter } from "../ports/meter.ts";
import { kindOf } from "../protocol/channel-name.ts";
import type { EventDraft, Position, SequencedEvent } from "../protocol/event.ts";
import { stringifyJson } from "../protocol/json.ts";
import { ChannelLog, type Entry, KindLog } from "./event-logs.ts";

export interface MemoryJournalOptions {
  readonly clock: Clock;
  /** @default 256 events, 10 minutes, 4 MiB for every kind */
  readonly retentionOf?: RetentionOf;
  /** Bytes of all channels together; the oldest events go first. @default 268_435_456 */
  readonly maxBytes?: number;
  /**
   * Channels that are remembered. The longest unused ones go first, with their events; a position in one of them can
   * then not be resumed from. @default 50_000
   */
  readonly maxChannels?: number;
  /** Counts events that went because of `maxBytes`. */
  readonly cappedEvents?: Counter;
  /** @default 12 random hexadecimal digits */
  readonly epoch?: string;
}

/** Counted for each event beside its data and names: id, timestamp, position, keys. */
const ENVELOPE_BYTES = 128;
/** Channels without history whose newest seq is remembered; at least half as many of the latest ones are. */
const EPHEMERAL_CHANNELS = 10_000;

const utf8 = new TextEncoder();

export class MemoryJournal implements Journal {
  readonly #clock: Clock;
  readonly #retentionOf: RetentionOf;
  readonly #maxBytes: number;
  readonly #maxChannels: number;
  readonly #capped: Counter | undefined;
  readonly #epoch: string;
  readonly #channels = new Map<string, ChannelLog>();
  readonly #kinds = new Map<string, KindLog>();
  /** Newest seq of channels' ephemeral events. */
  readonly #passed = new Map<string, number>();
  /** How to undo what the transaction under way has done, newest last. */
  #undo: (() => void)[] | null = null;
  #broken: { readonly error: unknown } | null = null;
  #seq = 0;
  #at = 0;
  #bytes = 0;
  #events = 0;
  #closed = false;

  constructor(options: MemoryJournalOptions) {
    this.#clock = options.clock;
    this.#retentionOf = options.retentionOf ?? (() => DEFAULT_RETENTION);
    this.#maxBytes = options.maxBytes ?? 268_435_456;
    this.#maxChannels = options.maxChannels ?? 50_000;
    this.#capped = options.cappedEvents;
    this.#epoch = options.epoch ?? crypto.randomUUID().replaceAll("-", "").slice(0, 12);
  }

  get head(): Position {
    return { epoch: this.#epoch, seq: this.#seq };
  }

  get size(): { readonly events: number; readonly bytes: number } {
    return { events: this.#events, bytes: this.#bytes };
  }

  transaction<T>(work: () => T): T {
    if (this.#undo) return this.#join(work);
    if (this.#closed) throw new Error("Cannot append: the journal is closed");
    const before = { seq: this.#seq, at: this.#at };
    this.#undo = [];
    this.#broken = null;
    try {
      const result = work();
      const broken = this.#broken as { readonly error: unknown } | null;
      if (broken) {
        throw new Error("Cannot commit: a call inside this transaction failed", { cause: broken.error });
      }
      this.#undo = null;
      this.#tidy();
      return result;
    } catch (error) {
      for (const undo of (this.#undo ?? []).reverse()) undo();
      this.#undo = null;
      this.#seq = before.seq;
      this.#at = before.at;
      throw error;
    }
  }

  append(drafts: readonly EventDraft[]): SequencedEvent[] {
    if (!this.#undo) return this.transaction(() => this.append(drafts));
    this.#at = Math.max(this.#at, this.#clock.now());
    const events = drafts.map((draft) => this.#store(draft));
    this.#applyCap();
    return events;
  }

  read(scope: Scope, after: number, limit: number, maxBytes = Infinity): SequencedEvent[] {
    return this.#log(scope)?.read(after, limit, maxBytes) ?? [];
  }

  last(scope: Scope, count: number, maxBytes = Infinity): SequencedEvent[] {
    return this.#log(scope)?.last(count, maxBytes) ?? [];
  }

  tail(scope: Scope, count: number): number | null {
    return this.#log(scope)?.tail(count) ?? null;
  }

  evicted(scope: Scope): number {
    const log = this.#log(scope);
    if (log || "kind" in scope) return log?.evicted ?? 0;
    return this.#kinds.get(kindOf(scope.channel))?.forgotten ?? 0;
  }

  channels(limit: number, kind?: string): { channel: string; seq: number }[] {
    const newestFirst = [...this.#channels.values()]
      .filter(({ name }) => kind === undefined || kindOf(name) === kind)
      .sort((a, b) => b.seq - a.seq);
    return newestFirst.slice(0, Math.max(0, limit)).map(({ name, seq }) => ({ channel: name, seq }));
  }

  /** Let go of everything. */
  close(): void {
    this.#closed = true;
    this.#channels.clear();
    this.#kinds.clear();
    this.#passed.clear();
    this.#events = this.#bytes = 0;
  }

  #join<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#broken ??= { error };
      throw error;
    }
  }

  #store(draft: EventDraft): SequencedEvent {
    const { id, channel: name, event, data, timestamp, ephemeral, traceparent } = draft;
    const prev = Math.max(this.#channels.get(name)?.seq ?? 0, this.#passed.get(name) ?? 0);
    const trace = traceparent === undefined ? {} : { traceparent };
    const position = { epoch: this.#epoch, seq: ++this.#seq, prev };
    const stored = { id, channel: name, event, data, timestamp, ephemeral, ...trace, ...position };
    if (ephemeral) this.#pass(name, stored.seq);
    else {
      const bytes = utf8.encode(stringifyJson(data)).byteLength + name.length + event.length + ENVELOPE_BYTES;
      this.#keep({ event: stored, at: this.#at, bytes, dropped: false });
    }
    return stored;
  }

  #pass(name: string, seq: number): void {
    const before = this.#passed.get(name);
    this.#passed.delete(name);
    this.#passed.set(name, seq);
    this.#undo?.push(() => before === undefined ? this.#passed.delete(name) : this.#passed.set(name, before));
  }

  #keep(entry: Entry): void {
    const name = entry.event.channel;
    const kind = this.#kind(kindOf(name));
    const known = this.#channels.get(name);
    const channel = known ?? new ChannelLog(name, kind.forgotten);
    const before = channel.seq;
    this.#channels.set(name, channel);
    channel.add(entry);
    kind.add(entry);
    this.#count(entry, 1);
    this.#undo?.push(() => {
      channel.takeBack(before);
      kind.takeBack();
      this.#count(entry, -1);
      if (!known) this.#channels.delete(name);
    });
    const bounds = this.#retentionOf(kind.name);
    while (channel.length > 0 && (channel.length > bounds.events || channel.bytes > bounds.bytes)) {
      this.#evict(channel, kind);
    }
    this.#expire(kind);
  }

  /** Drop the oldest event of a channel. */
  #evict(channel: ChannelLog, kind: KindLog): void {
    const before = { channel: channel.evicted, kind: kind.evicted };
    const entry = channel.drop();
    kind.dropped(entry);
    this.#count(entry, -1);
    this.#undo?.push(() => {
      channel.putBack(entry, before.channel);
      kind.putBack(entry, before.kind);
      this.#count(entry, 1);
    });
  }

  #count({ bytes }: Entry, sign: 1 | -1): void {
    this.#events += sign;
    this.#bytes += sign * bytes;
  }

  /** Drop what is too old. */
  #expire(kind: KindLog): void {
    const cutoff = this.#clock.now() - this.#retentionOf(kind.name).ageMs;
    for (let oldest = kind.oldest; oldest && oldest.at < cutoff; oldest = kind.oldest) {
      this.#evict(this.#channels.get(oldest.event.channel)!, kind);
    }
  }

  #applyCap(): void {
    let count = 0;
    for (; this.#bytes > this.#maxBytes; count++) {
      let first: { kind: KindLog; entry: Entry } | null = null;
      for (const kind of this.#kinds.values()) {
        const entry = kind.oldest;
        if (entry && (!first || entry.event.seq < first.entry.event.seq)) first = { kind, entry };
      }
      if (!first) break;
      this.#evict(this.#channels.get(first.entry.event.channel)!, first.kind);
    }
    if (count > 0) this.#capped?.add(count);
  }

  /** After a transaction, when nothing has to be undone any more. */
  #tidy(): void {
    const excess = this.#channels.size - this.#maxChannels;
    if (excess > 0) this.#forget(excess + (this.#maxChannels >> 6));
    for (const kind of this.#kinds.values()) kind.tidy();
    if (this.#passed.size <= EPHEMERAL_CHANNELS) return;
    let surplus = EPHEMERAL_CHANNELS / 2;
    for (const name of this.#passed.keys()) {
      if (surplus-- <= 0) break;
      this.#passed.delete(name);
    }
  }

  #forget(count: number): void {
    const longestUnused = [...this.#channels.values()].sort((a, b) => a.seq - b.seq).slice(0, count);
    for (const channel of longestUnused) {
      const { name } = channel;
      const kind = this.#kind(kindOf(name));
      while (channel.length > 0) this.#evict(channel, kind);
      kind.forgotten = Math.max(kind.forgotten, channel.seq);
      kind.evicted = Math.max(kind.evicted, channel.seq);
      this.#channels.delete(name);
      this.#passed.delete(name);
    }
  }

  /** Where a scope's events are, without those that are too old. */
  #log(scope: Scope): ChannelLog | KindLog | undefined {
    const kind = this.#kinds.get("kind" in scope ? scope.kind : kindOf(scope.channel));
    if (kind) this.#expire(kind);
    return "kind" in scope ? kind : this.#channels.get(scope.channel);
  }

  #kind(name: string): KindLog {
    let kind = this.#kinds.get(name);
    if (!kind) this.#kinds.set(name, kind = new KindLog(name));
    return kind;
  }
}
