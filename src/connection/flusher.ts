/**
 * Ends each tick by writing what every outbox has gathered in it, and looks after those that have parked something. One
 * per server, so that a connection needs no timer of its own.
 *
 * @module
 */
import type { Cancel, Clock } from "../ports/clock.ts";

/** An outbox, as the flusher sees it. */
export interface Flushable {
  flush(): void;
  /** Write of what is parked as much as there is room for. False when nothing is parked any more. */
  unpark(): boolean;
}

/** How often outboxes that have parked something are looked at, in milliseconds. */
const LOOK_MS = 15;

export class Flusher {
  readonly #clock: Clock;
  #waiting: Flushable[] = [];
  readonly #parking = new Set<Flushable>();
  #stopLooking: Cancel | null = null;
  /** Grows with every tick that wrote something. */
  tick = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Flush at the end of this tick. */
  add(outbox: Flushable): void {
    if (this.#waiting.push(outbox) === 1) this.#clock.endOfTick(this.#flush);
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

  readonly #flush = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const outbox of waiting) outbox.flush();
    this.tick++;
  };

  readonly #look = (): void => {
    for (const outbox of this.#parking) if (!outbox.unpark()) this.unwatch(outbox);
    this.tick++;
  };
}
