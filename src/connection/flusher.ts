/**
 * Ends each tick by writing what every outbox has gathered in it. One per server, so that a connection needs no timer
 * of its own.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";

/** An outbox, as the flusher sees it. */
export interface Flushable {
  flush(): void;
}

export class Flusher {
  readonly #clock: Clock;
  #waiting: Flushable[] = [];
  /** Grows with every tick that wrote something. */
  tick = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Flush at the end of this tick. */
  add(outbox: Flushable): void {
    if (this.#waiting.push(outbox) === 1) this.#clock.endOfTick(this.#flush);
  }

  readonly #flush = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const outbox of waiting) outbox.flush();
    this.tick++;
  };
}
