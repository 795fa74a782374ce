/**
 * The journal in a database: survives the process, and stands in the same transactions as the state that its events tell
 * of. See `Journal` for what it promises. One process per database file.
 *
 * Every bound holds exactly for whoever reads. Count, bytes and the cap are applied by the append that exceeds them, age is
 * judged when reading; the rows themselves are deleted later, some dozens at a time.
 *
 * The seq before a channel's event (`prev`) is known over restarts, except for ephemeral events, which leave no trace:
 * their channels begin anew with 0 in a new process, and, where a process has seen very many, also within it.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";
import type { Database, Statement } from "../ports/database.ts";
import { DEFAULT_RETENTION, type Journal, type RetentionOf, type Scope } from "../ports/journal.ts";
import type { Counter } from "../ports/meter.ts";
import { kindOf } from "../protocol/channel-name.ts";
import type { EventDraft, Position, SequencedEvent } from "../protocol/event.ts";
import { AgeFloor } from "./age-floor.ts";
import { ChannelRows } from "./channel-rows.ts";
import { EventBounds } from "./event-bounds.ts";
import { textOf } from "./data-text.ts";
import { EVENT_COLUMNS, EVENT_STEPS, type EventRow, rowToEvent } from "./event-schema.ts";
import { migrate } from "./migrations.ts";
import { SeqCounter } from "./seq-counter.ts";
import { Transactions } from "./transactions.ts";

export interface EventTableOptions {
  /** Stays open when the table is closed: it belongs to whoever opened it. */
  readonly database: Database;
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
  /** Makes the epoch of a new database. @default 12 random hexadecimal digits */
  readonly newEpoch?: () => string;
}

/** Appended events between two looks for rows that are too old. */
const SWEEP_EVERY = 64;
/** Counted for each event beside its data and names: id, timestamp, position, keys. */
const ENVELOPE_BYTES = 128;

export class EventTable implements Journal {
  readonly #clock: Clock;
  readonly #retentionOf: RetentionOf;
  readonly #maxBytes: number;
  readonly #capped: Counter | undefined;
  readonly #transactions: Transactions;
  readonly #counter: SeqCounter;
  readonly #channels: ChannelRows;
  readonly #ages: AgeFloor;
  readonly #bounds: EventBounds;
  readonly #insert: Statement;
  readonly #read: { readonly channel: Statement; readonly kind: Statement };
  readonly #last: { readonly channel: Statement; readonly kind: Statement };
  /** Bytes of the events that the two above would give. */
  readonly #sizes: {
    readonly read: { readonly channel: Statement; readonly kind: Statement };
    readonly last: { readonly channel: Statement; readonly kind: Statement };
  };
  readonly #newest: { readonly channel: Statement; readonly kind: Statement };
  readonly #oldest: { readonly channel: Statement; readonly kind: Statement };
  readonly #below: { readonly channel: Statement; readonly kind: Statement };
  /** Wall clock of the newest append. */
  #at: number;
  #beforeTransaction = { seq: 0, at: 0 };
  #sinceSweep = 0;
  #closed = false;

  constructor(options: EventTableOptions) {
    const { database } = options;
    this.#clock = options.clock;
    this.#retentionOf = options.retentionOf ?? (() => DEFAULT_RETENTION);
    this.#maxBytes = options.maxBytes ?? 268_435_456;
    this.#capped = options.cappedEvents;
    this.#transactions = new Transactions(database, () => this.#undo());
    migrate(database, "events", EVENT_STEPS);
    this.#counter = new SeqCounter(database, options.newEpoch ?? randomEpoch);
    this.#channels = new ChannelRows(database, options.maxChannels ?? 50_000);
    this.#ages = new AgeFloor(database);
    this.#bounds = new EventBounds(database, this.#channels);
    this.#insert = database.prepare(
      `INSERT INTO events (seq, at, bytes, prev, channel, kind, id, event, timestamp, traceparent, data)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const both = (sql: (column: string) => string) => ({
      channel: database.prepare(sql("channel")),
      kind: database.prepare(sql("kind")),
    });
    // The rows of a channel up to its `evicted` are let go of and only not deleted yet.
    const kept = "FROM events JOIN event_channels ON name = channel AND events.seq > evicted";
    const after = (what: string) => (column: string) =>
      `SELECT ${what} ${kept} WHERE events.${column} = ? AND events.seq > ? ORDER BY events.seq LIMIT ?`;
    const backwards = (what: string) => (column: string) =>
      `SELECT ${what} ${kept} WHERE events.${column} = ? AND events.seq >= ? ORDER BY events.seq DESC LIMIT ?`;
    this.#read = both(after(EVENT_COLUMNS));
    this.#last = both(backwards(EVENT_COLUMNS));
    this.#sizes = {
      read: both(after("events.bytes AS bytes")),
      last: both(backwards("events.bytes AS bytes")),
    };
    // By the index alone, for which it must be known that all these rows are kept.
    const numbers = (order: string) => (column: string) =>
      `SELECT seq FROM events WHERE ${column} = ? AND seq > ? ORDER BY seq ${order} LIMIT 1 OFFSET ?`;
    this.#newest = both(numbers("DESC"));
    this.#oldest = both(numbers("ASC"));
    this.#below = both((column) => `SELECT max(seq) AS seq FROM events WHERE ${column} = ? AND seq < ?`);
    this.#at =
      database.prepare("SELECT at FROM events ORDER BY seq DESC LIMIT 1").get<{ at: number }>()?.at ?? 0;
    // Waits for the disk, so it is left to the first event; only a new epoch must not be lost once it was seen.
    if (this.head.seq === 0) this.#counter.reserve();
    this.#run(() => this.#applyChangedBounds());
  }

  get head(): Position {
    return { epoch: this.#counter.epoch, seq: this.#counter.seq };
  }

  get size(): { readonly events: number; readonly bytes: number } {
    return { events: this.#channels.kept, bytes: this.#channels.bytes };
  }

  transaction<T>(work: () => T): T {
    if (this.#transactions.active) return this.#transactions.run(work);
    this.#refuseClosed();
    this.#counter.reserve();
    return this.#run(work);
  }

  append(drafts: readonly EventDraft[]): SequencedEvent[] {
    if (this.#transactions.active) return this.#append(drafts);
    if (drafts.every((draft) => draft.ephemeral)) {
      this.#refuseClosed();
      this.#counter.reserve();
      const events = this.#append(drafts);
      this.#channels.settle();
      return events;
    }
    return this.transaction(() => this.#append(drafts));
  }

  read(scope: Scope, after: number, limit: number, maxBytes = Infinity): SequencedEvent[] {
    const { column, name, floor } = this.#locate(scope);
    const from = Math.max(after, floor - 1);
    const count = fitting(this.#sizes.read[column], [name, from, bounded(limit)], maxBytes);
    return this.#events(this.#read[column].all<EventRow>(name, from, count));
  }

  last(scope: Scope, count: number, maxBytes = Infinity): SequencedEvent[] {
    const { column, name, floor } = this.#locate(scope);
    const fits = fitting(this.#sizes.last[column], [name, floor, bounded(count)], maxBytes);
    return this.#events(this.#last[column].all<EventRow>(name, floor, fits)).reverse();
  }

  tail(scope: Scope, count: number): number | null {
    if (count < 1) return null;
    const { column, name, floor } = this.#locate(scope);
    const whole = Math.max(floor - 1, this.evicted(scope));
    type Found = { seq: number } | undefined;
    // A scope has at most as many events as there are numbers: those who want all need not be counted.
    const from: Found = count < this.#counter.seq - whole
      ? this.#newest[column].get<{ seq: number }>(name, whole, bounded(count) - 1)
      : undefined;
    const first: Found = from ?? this.#oldest[column].get<{ seq: number }>(name, whole, 0);
    return first ? first.seq - 1 : null;
  }

  evicted(scope: Scope): number {
    const { column, name, floor } = this.#locate(scope);
    const gone = (column === "channel" ? this.#channels.get(name) : this.#channels.kind(name)).evicted;
    return Math.max(gone, this.#below[column].get<{ seq: number | null }>(name, floor)?.seq ?? 0);
  }

  channels(limit: number, kind?: string): { channel: string; seq: number }[] {
    return this.#channels.newest(bounded(limit), kind);
  }

  /** Note where the numbers stand, so that the next process goes on without a jump. Nothing is taken afterwards. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#counter.close();
  }

  #run<T>(work: () => T): T {
    this.#beforeTransaction = { seq: this.#counter.seq, at: this.#at };
    const result = this.#transactions.run(work);
    this.#channels.settle();
    return result;
  }

  #append(drafts: readonly EventDraft[]): SequencedEvent[] {
    let seq = this.#counter.take(drafts.length);
    this.#at = Math.max(this.#at, this.#clock.now());
    const events = drafts.map((draft) => this.#store(draft, seq++));
    if (this.#channels.bytes > this.#maxBytes) this.#applyCap();
    if (this.#sinceSweep >= SWEEP_EVERY) this.#sweep();
    this.#channels.flush();
    return events;
  }

  #store(draft: EventDraft, seq: number): SequencedEvent {
    const { id, channel, event, data, timestamp, ephemeral, traceparent } = draft;
    const prev = this.#channels.get(channel).last;
    if (ephemeral) this.#channels.passed(channel, seq);
    else {
      const kind = kindOf(channel);
      const content = textOf(data);
      const bytes = content.bytes + channel.length + event.length + ENVELOPE_BYTES;
      // Positional, in the order of the statement's columns.
      this.#insert.run(
        seq,
        this.#at,
        bytes,
        prev,
        channel,
        kind,
        id,
        event,
        timestamp,
        traceparent ?? null,
        content.text,
      );
      this.#channels.added(channel, seq, bytes);
      this.#bounds.trim(channel, this.#retentionOf(kind));
      this.#sinceSweep++;
    }
    const trace = traceparent === undefined ? {} : { traceparent };
    return {
      id,
      channel,
      event,
      data,
      timestamp,
      ephemeral,
      ...trace,
      epoch: this.#counter.epoch,
      seq,
      prev,
    };
  }

  #applyCap(): void {
    const count = this.#bounds.applyCap(this.#maxBytes);
    if (count > 0) this.#capped?.add(count);
  }

  #sweep(): void {
    this.#sinceSweep = 0;
    for (const kind of [...this.#channels.kinds]) this.#bounds.sweep(kind, this.#floor(kind));
  }

  /** Settings may have become narrower since the last process. */
  #applyChangedBounds(): void {
    for (const kind of [...this.#channels.kinds]) {
      const bounds = this.#retentionOf(kind);
      for (const channel of this.#channels.over(kind, bounds.events, bounds.bytes)) {
        this.#bounds.trim(channel, bounds);
      }
    }
    this.#applyCap();
    this.#channels.flush();
  }

  #undo(): void {
    this.#at = this.#beforeTransaction.at;
    if (this.#counter.seq !== this.#beforeTransaction.seq) this.#counter.restore(this.#beforeTransaction.seq);
    this.#ages.clear();
    this.#bounds.clear();
    this.#channels.restore();
  }

  /** Where a scope is found, and the lowest seq in it that is young enough. */
  #locate(scope: Scope): { column: "channel" | "kind"; name: string; floor: number } {
    if ("kind" in scope) return { column: "kind", name: scope.kind, floor: this.#floor(scope.kind) };
    return { column: "channel", name: scope.channel, floor: this.#floor(kindOf(scope.channel)) };
  }

  #floor(kind: string): number {
    return this.#ages.find(this.#retentionOf(kind).ageMs, this.#clock.now(), this.#counter.seq);
  }

  #events(rows: readonly EventRow[]): SequencedEvent[] {
    return rows.map((row) => rowToEvent(row, this.#counter.epoch));
  }

  #refuseClosed(): void {
    if (this.#closed) throw new Error("Cannot append: the event table is closed");
  }
}

/** How many of the rows come to at most `maxBytes`; one where the first exceeds it. */
function fitting(sizes: Statement, [name, seq, limit]: [string, number, number], maxBytes: number): number {
  if (maxBytes === Infinity || limit <= 1) return limit;
  let count = 0;
  let bytes = 0;
  for (const row of sizes.all<{ bytes: number }>(name, seq, limit)) {
    bytes += row.bytes;
    if (bytes > maxBytes && count > 0) break;
    count++;
  }
  return count;
}

/** SQLite takes a negative limit for none, and none that is not an integer. */
function bounded(limit: number): number {
  return Math.max(0, Math.min(Math.floor(limit), 0x7fffffff));
}

function randomEpoch(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 12);
}
