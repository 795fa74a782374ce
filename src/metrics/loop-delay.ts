/**
 * How late timers run: the one sign that all runtimes give of an event loop that has too much to do, or stands still.
 *
 * @module
 */
import type { Cancel, Clock } from "../ports/clock.ts";
import type { Histogram } from "../ports/meter.ts";

/** Between two looks, in milliseconds. What takes longer than this is always seen. */
const EVERY_MS = 500;

export class LoopDelay {
  readonly #clock: Clock;
  readonly #delay: Histogram;
  #cancel: Cancel | null = null;

  /** @param delay Told of each look, in seconds. */
  constructor(clock: Clock, delay: Histogram) {
    this.#clock = clock;
    this.#delay = delay;
  }

  start(): void {
    if (this.#cancel === null) this.#next();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** One timer after the other, as those that repeat make up for lateness on some runtimes. */
  #next(): void {
    const due = this.#clock.monotonic() + EVERY_MS;
    this.#cancel = this.#clock.after(EVERY_MS, () => {
      this.#delay.observe(Math.max(0, this.#clock.monotonic() - due) / 1_000);
      this.#next();
    });
  }
}
