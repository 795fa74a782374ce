/**
 * The past of a channel, read in pieces, so that a long one is neither held in memory nor keeps the process busy.
 *
 * @module
 */
import type { SequencedEvent } from "../protocol/event.ts";
import type { ReadablePlace } from "./readable-place.ts";
import type { ReadingTurns } from "./reading-turns.ts";
import type { Missed } from "./told-event.ts";

/** Events read at a time, and their bytes. */
const BATCH = 128;
const BATCH_BYTES = 524_288;

/** Where a reader begins. */
export interface Beginning {
  /** Read what comes after this seq. */
  readonly after: number;
  /** The present: what comes after this seq is heard live. */
  readonly until: number;
  /** What cannot be had of what the reader asked for. */
  readonly missed: Missed | null;
}

/** The present is that of the call. Without a `since` the reader begins there. */
export async function beginningOf({ channels, scope, spec, since }: ReadablePlace): Promise<Beginning> {
  const { epoch, seq: until } = channels.position;
  if (since === null) return { after: until, until, missed: null };
  const isSameEpoch = since === "start" || since.epoch === epoch;
  const isAhead = isSameEpoch && since !== "start" && since.seq > until;
  if (spec.ephemeral) {
    if (since === "start" || (isSameEpoch && since.seq === until)) {
      return { after: until, until, missed: null };
    }
    const cause = !isSameEpoch ? "epoch" : isAhead ? "ahead" : "ephemeral";
    const from = isSameEpoch ? Math.min(since.seq, until) : 0;
    return { after: until, until, missed: { from, to: until, cause } };
  }
  if (isAhead) return { after: until, until, missed: { from: until, to: until, cause: "ahead" } };
  // The history may be ahead of what was heard.
  const kept = Math.min(await channels.evicted(scope), until);
  if (since === "start") return { after: kept, until, missed: null };
  if (!isSameEpoch) return { after: kept, until, missed: { from: 0, to: kept, cause: "epoch" } };
  const { seq } = since;
  if (kept > seq) return { after: kept, until, missed: { from: seq, to: kept, cause: "history" } };
  return { after: seq, until, missed: null };
}

/** Some of the past: events in order; or a hole, where it went meanwhile. */
export type Piece = { readonly events: readonly SequencedEvent[] } | { readonly missed: Missed };

export class PastEvents {
  readonly #place: ReadablePlace;
  readonly #until: number;
  readonly #turns: ReadingTurns;
  readonly #hasEnded: () => boolean;
  #cursor: number;

  /** @param hasEnded Whether the reader has given up. @default never */
  constructor(
    place: ReadablePlace,
    { after, until }: Beginning,
    turns: ReadingTurns,
    hasEnded: () => boolean = () => false,
  ) {
    this.#place = place;
    this.#cursor = after;
    this.#until = until;
    this.#turns = turns;
    this.#hasEnded = hasEnded;
  }

  /** The seq up to which it has been read; behind a hole, where that ends. */
  get cursor(): number {
    return this.#cursor;
  }

  /** Null at the end, when all up to the present has been read or the reader has given up. */
  async next(): Promise<Piece | null> {
    if (this.#cursor >= this.#until) return null;
    if (!await this.#turns.take(this.#hasEnded)) return null;
    const { channels, scope } = this.#place;
    const from = this.#cursor;
    const events = await channels.read(scope, from, BATCH, BATCH_BYTES);
    // Asked after the reading, so that nothing can go unnoticed between the two.
    const to = Math.min(await channels.evicted(scope), this.#until);
    if (to > from) {
      this.#cursor = to;
      return { missed: { from, to, cause: "history" } };
    }
    const past = events.filter(({ seq }) => seq <= this.#until);
    const isWhole = past.length < events.length || past.length === 0;
    this.#cursor = isWhole ? this.#until : past.at(-1)!.seq;
    return { events: past };
  }
}
