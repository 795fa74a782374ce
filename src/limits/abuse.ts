/**
 * When a client that ignores refusals is shown the door.
 *
 * @module
 */

/** Two refusals further apart than this do not belong together. Milliseconds. */
const PAUSE_MS = 1000;

/**
 * Watches one client's refusals. A run of refusals goes on as long as the next comes at most one second after the last;
 * a run that has lasted for `seconds` is abuse. So a client that is refused at least once in every second of ten
 * is gone at the tenth, whatever its speed, and one that stays quiet for longer than a second once starts anew.
 */
export class AbuseWatch {
  readonly #limitMs: number;
  #start = -Infinity;
  #last = -Infinity;

  /** @param seconds Length of a run that is abuse; 0 never is. Default 10. */
  constructor(seconds = 10) {
    this.#limitMs = seconds * 1000;
  }

  /**
   * A frame was refused.
   *
   * @param now Monotonic milliseconds.
   * @returns whether this is abuse by now.
   */
  refused(now: number): boolean {
    if (this.#limitMs <= 0) return false;
    if (now - this.#last > PAUSE_MS) this.#start = now;
    this.#last = now;
    return now - this.#start >= this.#limitMs;
  }
}
