/**
 * Ends each tick by writing what outboxes have gathered in it, and looks after those that have parked something. One
 * per server, so that a connection needs no timer of its own.
 *
 * Events alone may wait a little longer where writing is all that the process does: see `add`. What is said to one
 * client never waits, nor does anything that stands before it in the same outbox.
 *
 * @module
 */
import type { Cancel, Clock } from "../ports/clock.ts";

export type Turn = "now" | "events";

/** An outbox, as the flusher sees it. */
export interface Flushable {
  /** Write what is pending: `now` at the end of a tick, or when it is the turn of the `events`. */
  flush(turn: Turn): void;
  /**
   * Write what is pending before the end of the tick. False where the reader has left something over: it may be about to
   * take it in this very tick, and what it leaves over is judged at the end.
   */
  flushEarly(): boolean;
  /** Write of what is parked as much as there is room for. False when nothing is parked any more. */
  unpark(): boolean;
}

/** How often outboxes that have parked something are looked at, in milliseconds. */
const LOOK_MS = 15;

/** The longest that events wait, in milliseconds. */
const LONGEST_WAIT_MS = 10;

/** For how long answers wait for the end of a tick, in milliseconds: in a long one the first clients could go on already. */
const ANSWERS_WAIT_MS = 0.5;

/** So many times in a row events must come sooner than is well before they wait: one long write alone is an accident. */
const PRESSED_BEFORE_WAITING = 3;

export class Flusher {
  readonly #clock: Clock;
  #urgent: Flushable[] = [];
  /** When the first of them came, in monotonic milliseconds. */
  #urgentSince = 0;
  #waiting: Flushable[] = [];
  #areEventsDue = false;
  #isEnding = false;
  readonly #parking = new Set<Flushable>();
  #stopLooking: Cancel | null = null;
  /** When events were last written, and how long that took, in monotonic milliseconds. */
  #wroteAt = -Infinity;
  #wroteMs = 0;
  /** How often in a row events have come before writing had rested half as long as it took. */
  #pressed = 0;
  /** Grows with every tick that wrote something. */
  tick = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Flush at the end of this tick, or earlier where that is long in coming: see `answered`. */
  addUrgent(outbox: Flushable): void {
    if (this.#urgent.push(outbox) > 1) return this.answered();
    this.#urgentSince = this.#clock.monotonic();
    this.#endTick();
  }

  /** Something more was said to a client for which `addUrgent` was called: time to look how long the first has waited. */
  answered(): void {
    const now = this.#clock.monotonic();
    if (now - this.#urgentSince <= ANSWERS_WAIT_MS) return;
    const urgent = this.#urgent;
    this.#urgent = [];
    for (const outbox of urgent) if (!outbox.flushEarly()) this.#urgent.push(outbox);
    this.#urgentSince = now;
  }

  /**
   * Flush at the end of this tick, or of one some milliseconds later where the process has done nothing but write for a
   * while: who is answered meanwhile sends more, and all of it leaves in the same write.
   */
  add(outbox: Flushable): void {
    if (this.#waiting.push(outbox) > 1) return;
    const waitMs = this.#waitMs();
    if (waitMs > 0) this.#clock.after(waitMs, this.#eventsAreDue);
    else this.#eventsAreDue();
  }

  /** Look after an outbox until nothing is parked in it. */
  watch(outbox: Flushable): void {
    this.#parking.add(outbox);
    this.#stopLooking ??= this.#clock.every(LOOK_MS, this.#look);
  }

  unwatch(outbox: Flushable): void {
    this.#parking.delete(outbox);
    if (this.#parking.size > 0) return;
    this.#stopLooking?.();
    this.#stopLooking = null;
  }

  #waitMs(): number {
    const restedMs = this.#clock.monotonic() - this.#wroteAt;
    this.#pressed = restedMs < this.#wroteMs / 2 ? this.#pressed + 1 : 0;
    if (this.#pressed < PRESSED_BEFORE_WAITING) return 0;
    return Math.min(2 * this.#wroteMs, LONGEST_WAIT_MS) - restedMs;
  }

  readonly #eventsAreDue = (): void => {
    this.#areEventsDue = true;
    this.#endTick();
  };

  /** Once for all that is written in a tick: before its end no reader can have taken any of it. */
  #endTick(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#clock.endOfTick(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isEnding = false;
    this.#flushUrgent();
    if (this.#areEventsDue) this.#flushEvents();
    this.tick++;
  };

  #flushUrgent(): void {
    const urgent = this.#urgent;
    this.#urgent = [];
    for (const outbox of urgent) outbox.flush("now");
  }

  #flushEvents(): void {
    this.#areEventsDue = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    const begun = this.#clock.monotonic();
    for (const outbox of waiting) outbox.flush("events");
    this.#wroteAt = this.#clock.monotonic();
    this.#wroteMs = this.#wroteAt - begun;
  }

  readonly #look = (): void => {
    for (const outbox of this.#parking) if (!outbox.unpark()) this.unwatch(outbox);
    this.tick++;
  };
}
