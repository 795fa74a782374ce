/**
 * Lets go of events that are over a bound. What is over the bounds of a channel is gone at once for readers, since the
 * channel's row says so; its rows are deleted some dozens at a time, because a deletion touches several pages of the
 * database and each page is a write.
 *
 * @module
 */
import type { Database, Statement } from "../ports/database.ts";
import type { Retention } from "../ports/journal.ts";
import type { ChannelRows } from "./channel-rows.ts";
import { TwoGenerations } from "./two-generations.ts";

interface Oldest {
  readonly seq: number;
  readonly channel: string;
  readonly bytes: number;
}

/** A channel's oldest rows, as far as they were looked up. */
interface Front {
  readonly rows: readonly Oldest[];
  next: number;
  /** Bytes of rows that are gone for readers and not deleted yet. */
  goneBytes: number;
}

/** Rows of a channel that are looked up, and deleted, at a time, unless they are large. */
const FRONT_ROWS = 64;
const FRONT_BYTES = 262_144;
/** Channels whose front is remembered. */
const FRONTS = 1_000;
/** Rows that are too old and are deleted at most in one sweep, per kind. */
const SWEEP_ROWS = 256;

export class EventBounds {
  readonly #channels: ChannelRows;
  readonly #fronts = new TwoGenerations<string, Front>(FRONTS);
  readonly #front: Statement;
  readonly #deleteFront: Statement;
  readonly #deleteOldest: Statement;
  readonly #tooOld: Statement;
  readonly #deleteTooOld: Statement;

  constructor(database: Database, channels: ChannelRows) {
    this.#channels = channels;
    const columns = "seq, channel, bytes";
    this.#front = database.prepare(
      `SELECT ${columns} FROM events WHERE channel = ? AND seq > ? ORDER BY seq LIMIT ${FRONT_ROWS}`,
    );
    this.#deleteFront = database.prepare("DELETE FROM events WHERE channel = ? AND seq <= ?");
    this.#deleteOldest = database.prepare(
      `DELETE FROM events WHERE seq = (SELECT min(seq) FROM events) RETURNING ${columns}`,
    );
    this.#tooOld = database.prepare(
      `SELECT ${columns} FROM events WHERE kind = ? AND seq < ? ORDER BY seq LIMIT ${SWEEP_ROWS}`,
    );
    this.#deleteTooOld = database.prepare("DELETE FROM events WHERE kind = ? AND seq <= ?");
  }

  /** Let go of what a channel has over its bounds of count and bytes. */
  trim(channel: string, bounds: Retention): void {
    const row = this.#channels.get(channel);
    while (row.kept > 0 && (row.kept > bounds.events || row.bytes > bounds.bytes)) {
      const front = this.#frontOf(channel, row.evicted);
      const oldest = front.rows[front.next++]!;
      if (this.#channels.removed(channel, oldest.seq, oldest.bytes)) front.goneBytes += oldest.bytes;
    }
  }

  /** Delete the oldest events until all together have at most so many bytes. Returns how many were let go of. */
  applyCap(maxBytes: number): number {
    let count = 0;
    while (this.#channels.bytes > maxBytes) {
      const oldest = this.#deleteOldest.get<Oldest>()!;
      if (this.#channels.removed(oldest.channel, oldest.seq, oldest.bytes)) count++;
    }
    return count;
  }

  /** Delete some of a kind's rows below this seq. */
  sweep(kind: string, floor: number): void {
    const rows = this.#tooOld.all<Oldest>(kind, floor);
    if (rows.length === 0) return;
    this.#deleteTooOld.run(kind, rows.at(-1)!.seq);
    for (const row of rows) this.#channels.removed(row.channel, row.seq, row.bytes);
  }

  /** Forget what was looked up: a transaction was undone. */
  clear(): void {
    this.#fronts.clear();
  }

  /** The channel's front with at least one row left, after deleting what went before. */
  #frontOf(channel: string, evicted: number): Front {
    const known = this.#fronts.get(channel);
    if (known && known.next < known.rows.length && known.goneBytes < FRONT_BYTES) return known;
    this.#deleteFront.run(channel, evicted);
    const front: Front = { rows: this.#front.all<Oldest>(channel, evicted), next: 0, goneBytes: 0 };
    this.#fronts.set(channel, front);
    return front;
  }
}
