/**
 * When a client that ignores refusals is shown the door.
 *
 * @module
 */

/** Two refusals further apart than this do not belong together; also the length of what counts as one second. */
const SECOND_MS = 1_000;

/** So many times the seconds of one run, gathered over many, are abuse too. */
const GATHERED_RUNS = 3;

/** Every so many seconds one that was gathered is forgiven. */
const FORGIVEN_SECONDS = 20;

/**
 * Watches one client's refusals, in two ways.
 *
 * A run of refusals goes on as long as the next comes at most one second after the last; a run that has lasted for
 * `seconds` is abuse. So a client that is refused at least once in every second of ten is gone at the tenth, whatever
 * its speed, and one that stays quiet for longer than a second starts a new run.
 *
 * Against those that pause on purpose, seconds of abuse are gathered: one in which as many frames were refused as the
 * rate allows counts as one, however many more there were, and fewer as a part of one. Three times `seconds` are abuse.
 * One in twenty seconds is forgiven, so whoever is refused now and then is never held to it.
 */
export class AbuseWatch {
  readonly #limitMs: number;
  readonly #gatheredLimit: number;
  /** What one refusal is of a second of abuse. */
  readonly #share: number;
  #start = -Infinity;
  #last = -Infinity;
  #gathered = 0;
  #secondStart = -Infinity;
  /** What has been gathered in the second that began then. */
  #inSecond = 0;

  /**
   * @param seconds Length of a run that is abuse; 0 never is. Default 10.
   * @param rate Frames per second that are not refused. Default 100.
   */
  constructor(seconds = 10, rate = 100) {
    this.#limitMs = seconds * 1_000;
    this.#gatheredLimit = seconds * GATHERED_RUNS;
    this.#share = 1 / Math.max(1, rate);
  }

  /**
   * A frame was refused.
   *
   * @param now Monotonic milliseconds.
   * @returns whether this is abuse by now.
   */
  refused(now: number): boolean {
    if (this.#limitMs <= 0) return false;
    const pauseMs = now - this.#last;
    this.#gather(now, pauseMs);
    if (pauseMs > SECOND_MS) this.#start = now;
    this.#last = now;
    return now - this.#start >= this.#limitMs || this.#gathered >= this.#gatheredLimit;
  }

  #gather(now: number, pauseMs: number): void {
    this.#gathered = Math.max(0, this.#gathered - pauseMs / 1_000 / FORGIVEN_SECONDS);
    if (now - this.#secondStart >= SECOND_MS) {
      this.#secondStart = now;
      this.#inSecond = 0;
    }
    const share = Math.min(this.#share, 1 - this.#inSecond);
    this.#inSecond += share;
    this.#gathered += share;
  }
}
