/**
 * What is known of each channel beside its events: newest seq, how much is kept, how far history is gone. One row per
 * channel, the recently used ones in memory. The longest unused channels are forgotten where there are too many.
 *
 * @module
 */
import type { Database, Statement } from "../ports/database.ts";
import { kindOf } from "../protocol/channel-name.ts";
import { TwoGenerations } from "./two-generations.ts";

export interface ChannelRow {
  readonly name: string;
  readonly kind: string;
  /** Seq of the newest event, ephemeral ones included; those are known to this process only. */
  last: number;
  /** Seq of the newest event that was stored; 0 where there is no row yet. */
  seq: number;
  /** Events that are kept, and their bytes. */
  kept: number;
  bytes: number;
  /** Seq of the newest event that was stored and is no longer kept. */
  evicted: number;
}

export interface KindRow {
  /** Highest `evicted` of the kind's channels, the forgotten ones included. */
  evicted: number;
  /** Highest seq of a forgotten channel: what is not known about a channel can at most be this. */
  forgotten: number;
}

const CACHED = 10_000;
const NO_KIND: KindRow = { evicted: 0, forgotten: 0 };

export class ChannelRows {
  readonly #maxChannels: number;
  readonly #cache = new TwoGenerations<string, ChannelRow>(CACHED);
  /** Changed since the last flush. */
  readonly #dirty = new Map<string, ChannelRow>();
  /** Changed since the last settlement, with `last` as it was before. */
  readonly #touched = new Map<string, number>();
  readonly #kinds = new Map<string, KindRow>();
  #count = 0;
  #kept = 0;
  #bytes = 0;

  readonly #select: Statement;
  readonly #upsert: Statement;
  readonly #newest: { readonly all: Statement; readonly kind: Statement };
  readonly #oldest: Statement;
  readonly #summary: Statement;
  readonly #forgotten: Statement;
  readonly #forget: readonly Statement[];
  readonly #over: Statement;

  constructor(database: Database, maxChannels: number) {
    this.#maxChannels = maxChannels;
    const columns = "name, kind, seq, kept, bytes, evicted";
    this.#select = database.prepare(`SELECT ${columns} FROM event_channels WHERE name = ?`);
    this.#upsert = database.prepare(
      `INSERT OR REPLACE INTO event_channels (${columns}) VALUES (?, ?, ?, ?, ?, ?)`,
    );
    const newest = (where: string) =>
      database.prepare(`SELECT name, seq FROM event_channels ${where} ORDER BY seq DESC LIMIT ?`);
    this.#newest = { all: newest(""), kind: newest("WHERE kind = ?") };
    this.#oldest = database.prepare(
      "SELECT name, kind, seq, kept, bytes FROM event_channels ORDER BY seq LIMIT ?",
    );
    this.#summary = database.prepare(
      `SELECT kind, max(evicted) AS evicted, max(forgotten) AS forgotten, sum(channels) AS channels, sum(kept) AS kept,
              sum(bytes) AS bytes
       FROM (SELECT kind, evicted, 0 AS forgotten, 1 AS channels, kept, bytes FROM event_channels
             UNION ALL SELECT kind, forgotten, forgotten, 0, 0, 0 FROM event_kinds)
       GROUP BY kind`,
    );
    this.#forgotten = database.prepare("INSERT OR REPLACE INTO event_kinds (kind, forgotten) VALUES (?, ?)");
    this.#forget = [
      database.prepare("DELETE FROM events WHERE channel = ?"),
      database.prepare("DELETE FROM event_channels WHERE name = ?"),
    ];
    this.#over = database.prepare(
      "SELECT name FROM event_channels WHERE kind = ? AND (kept > ? OR bytes > ?)",
    );
    this.#load();
  }

  /** Bytes of all events that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many events are kept. */
  get kept(): number {
    return this.#kept;
  }

  get kinds(): Iterable<string> {
    return this.#kinds.keys();
  }

  kind(kind: string): Readonly<KindRow> {
    return this.#kinds.get(kind) ?? NO_KIND;
  }

  /** The channel's row; for a channel that has none, what can be said of it. */
  get(name: string): Readonly<ChannelRow> {
    return this.#row(name);
  }

  newest(limit: number, kind?: string): { channel: string; seq: number }[] {
    const { all, kind: ofKind } = this.#newest;
    type Found = { name: string; seq: number };
    const rows = kind === undefined ? all.all<Found>(limit) : ofKind.all<Found>(kind, limit);
    return rows.map(({ name, seq }) => ({ channel: name, seq }));
  }

  /** Names of channels of the kind that keep more than this. */
  over(kind: string, events: number, bytes: number): string[] {
    return this.#over.all<{ name: string }>(kind, events, bytes).map(({ name }) => name);
  }

  /** An ephemeral event has this seq. */
  passed(name: string, seq: number): void {
    const row = this.#row(name);
    this.#touch(row);
    row.last = seq;
  }

  /** An event with this seq was stored. */
  added(name: string, seq: number, bytes: number): void {
    const row = this.#row(name);
    this.#touch(row);
    if (row.seq === 0) this.#count++;
    row.last = row.seq = seq;
    row.kept++;
    this.#kept++;
    row.bytes += bytes;
    this.#bytes += bytes;
    this.#kindRow(row.kind);
    this.#dirty.set(name, row);
  }

  /** The channel lets go of its oldest event. False where it has done so before and only now deletes the row. */
  removed(name: string, seq: number, bytes: number): boolean {
    const row = this.#row(name);
    if (seq <= row.evicted) return false;
    this.#touch(row);
    row.kept--;
    this.#kept--;
    row.bytes -= bytes;
    row.evicted = seq;
    this.#bytes -= bytes;
    const kind = this.#kindRow(row.kind);
    kind.evicted = Math.max(kind.evicted, seq);
    this.#dirty.set(name, row);
    return true;
  }

  /** Write what has changed, then forget channels where there are too many. */
  flush(): void {
    for (const row of this.#dirty.values()) {
      this.#upsert.run(row.name, row.kind, row.seq, row.kept, row.bytes, row.evicted);
    }
    this.#dirty.clear();
    if (this.#count > this.#maxChannels) {
      this.#forgetOldest(this.#count - this.#maxChannels + (this.#maxChannels >> 6));
    }
  }

  /** The transaction is committed, or there was none: what has changed stays. */
  settle(): void {
    this.#touched.clear();
  }

  /** The transaction was undone: take what the database says. */
  restore(): void {
    const touched = [...this.#touched];
    this.#touched.clear();
    this.#dirty.clear();
    if (touched.length === 0) return;
    for (const [name] of touched) this.#cache.delete(name);
    this.#load();
    for (const [name, last] of touched) this.#row(name).last = last;
  }

  #load(): void {
    this.#kinds.clear();
    this.#count = this.#kept = this.#bytes = 0;
    type Sums = { kind: string; channels: number; kept: number; bytes: number };
    for (const row of this.#summary.all<KindRow & Sums>()) {
      this.#kinds.set(row.kind, { evicted: row.evicted, forgotten: row.forgotten });
      this.#count += row.channels;
      this.#kept += row.kept;
      this.#bytes += row.bytes;
    }
  }

  #row(name: string): ChannelRow {
    // One that is about to be written may have fallen out of the cache meanwhile.
    const known = this.#cache.get(name) ?? this.#dirty.get(name);
    if (known) return known;
    const stored = this.#select.get<Omit<ChannelRow, "last">>(name);
    const kind = kindOf(name);
    const row: ChannelRow = stored
      ? {
        name,
        kind,
        last: stored.seq,
        seq: stored.seq,
        kept: stored.kept,
        bytes: stored.bytes,
        evicted: stored.evicted,
      }
      : { name, kind, last: 0, seq: 0, kept: 0, bytes: 0, evicted: this.kind(kind).forgotten };
    this.#cache.set(name, row);
    return row;
  }

  #kindRow(kind: string): KindRow {
    let row = this.#kinds.get(kind);
    if (!row) this.#kinds.set(kind, row = { evicted: 0, forgotten: 0 });
    return row;
  }

  #touch(row: ChannelRow): void {
    if (!this.#touched.has(row.name)) this.#touched.set(row.name, row.last);
  }

  #forgetOldest(count: number): void {
    type Old = { name: string; kind: string; seq: number; kept: number; bytes: number };
    for (const old of this.#oldest.all<Old>(count)) {
      this.#touch(this.#row(old.name));
      for (const statement of this.#forget) statement.run(old.name);
      this.#cache.delete(old.name);
      this.#count--;
      this.#kept -= old.kept;
      this.#bytes -= old.bytes;
      const kind = this.#kindRow(old.kind);
      kind.evicted = Math.max(kind.evicted, old.seq);
      kind.forgotten = Math.max(kind.forgotten, old.seq);
      this.#forgotten.run(old.kind, kind.forgotten);
    }
  }
}
