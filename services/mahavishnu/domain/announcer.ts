/**
 * Says the latest of something that changes often, at most so often, and the last always.
 *
 * @module
 */
import type { Cancel, Clock } from "../../../src/ports/clock.ts";

export class Announcer {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  /** Says it. Called outside of whatever has changed it. */
  readonly #say: () => void;
  #saidAt = -Infinity;
  #waits = false;
  #timer: Cancel | null = null;
  #closed = false;

  constructor(clock: Clock, intervalMs: number, say: () => void) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#say = say;
  }

  changed(): void {
    if (this.#waits || this.#closed) return;
    this.#waits = true;
    const wait = this.#saidAt + this.#intervalMs - this.#clock.monotonic();
    if (wait > 0) this.#timer = this.#clock.after(wait, () => this.#now());
    // What changes in one tick is said once.
    else this.#clock.endOfTick(() => this.#now());
  }

  /** Say what waits to be said, and nothing more. */
  close(): void {
    if (this.#waits) this.#now();
    this.#closed = true;
  }

  #now(): void {
    this.#timer?.();
    this.#timer = null;
    if (!this.#waits || this.#closed) return;
    this.#waits = false;
    this.#saidAt = this.#clock.monotonic();
    this.#say();
  }
}
