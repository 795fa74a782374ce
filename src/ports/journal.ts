/**
 * The journal: gives events their positions and keeps the recent ones. One per service. In a database it survives the
 * process (`storage/event-table.ts`); in memory it ends with it (`broker/memory-journal.ts`).
 *
 * Calls are synchronous, so that a reader sees state and position of the same moment.
 *
 * @module
 */
import type { EventDraft, Position, SequencedEvent } from "../protocol/event.ts";

/** One channel, or all channels of a kind. */
export type Scope = { readonly channel: string } | { readonly kind: string };

/** Bounds of one channel's history. Whichever is reached first. */
export interface Retention {
  readonly events: number;
  readonly ageMs: number;
  readonly bytes: number;
}

export const DEFAULT_RETENTION: Retention = { events: 256, ageMs: 600_000, bytes: 4_194_304 };

/** Looks up the retention of a channel kind. */
export type RetentionOf = (kind: string) => Retention;

export interface Journal {
  /** Position of the newest event that was given one; `seq` is 0 before the first. */
  readonly head: Position;

  /** What is kept now: events of all channels, and their bytes as `history.total_bytes` counts them. */
  readonly size: { readonly events: number; readonly bytes: number };

  /**
   * Run `work` so that all it changes through this journal's database, and all it appends, stands or falls together.
   * A throw undoes it and is passed on. Calls inside `work` join the outer transaction.
   */
  transaction<T>(work: () => T): T;

  /**
   * Give each draft the next position, in order, and keep those that are not ephemeral. Positions of a transaction
   * that failed are given again; positions of a process that died are not.
   */
  append(drafts: readonly EventDraft[]): SequencedEvent[];

  /**
   * Events of the scope after `seq`, oldest first, at most `limit`.
   *
   * @param maxBytes Stop before the event that would exceed this, but not before the first: whoever reads on comes to the
   * end. Bytes of the data and the names, with 128 for each event. Default: no bound.
   */
  read(scope: Scope, after: number, limit: number, maxBytes?: number): SequencedEvent[];

  /** The newest `count` events of the scope, oldest first. Where `maxBytes` is exceeded, the older ones are left out. */
  last(scope: Scope, count: number, maxBytes?: number): SequencedEvent[];

  /**
   * The seq after which `read` brings the newest `count` events of the scope, or those of them that are there without a
   * hole; null where there are none. Reads no event.
   */
  tail(scope: Scope, count: number): number | null;

  /**
   * The highest seq of the scope that is no longer kept; 0 while all are. A reader whose position is at or past it can
   * be brought up to date without a hole.
   */
  evicted(scope: Scope): number;

  /** Channels, of one kind or of all, that have had a durable event, with the seq of the newest, newest first. */
  channels(limit: number, kind?: string): { channel: string; seq: number }[];

  close(): void;
}
