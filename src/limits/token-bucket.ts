/**
 * How many frames a client may send. A bucket holds tokens, each frame takes one, and time brings new ones; so a client
 * can send a burst and is held to the rate from there on.
 *
 * @module
 */

/** Size of a bucket for a rate, where no size is set: a burst of one and a half seconds. */
const BURST_SECONDS = 1.5;

/** A whole token, less what sums of fractions lose: who waits as long as told finds one. */
const ONE = 1 - 1e-9;

/** One client's bucket: four numbers, no timer. */
export class TokenBucket {
  readonly #rate: number;
  readonly #capacity: number;
  #tokens: number;
  /** When `#tokens` was right, in monotonic milliseconds. */
  #at: number;

  /**
   * A full bucket.
   *
   * @param rate Tokens per second; 0 is no limit.
   * @param now Monotonic milliseconds.
   * @param capacity Most tokens that the bucket holds; below 1 counts as 1. Default 1.5 × `rate`.
   */
  constructor(rate: number, now: number, capacity: number = rate * BURST_SECONDS) {
    this.#rate = rate;
    // A bucket that cannot hold one whole token would refuse for ever.
    this.#capacity = Math.max(1, capacity);
    this.#tokens = this.#capacity;
    this.#at = now;
  }

  /**
   * Take one token.
   *
   * @param now Monotonic milliseconds.
   * @returns true, or the seconds until there is one to take; a refusal takes nothing.
   */
  take(now: number): true | number {
    if (this.#rate <= 0) return true;
    const tokens = this.#tokensAt(now);
    if (tokens < ONE) return (1 - tokens) / this.#rate;
    this.#spend(1, tokens, now);
    return true;
  }

  /**
   * Take tokens beside one that was taken just now. Where the bucket cannot hold as many, a full one will do, and what
   * it lacked is owed.
   *
   * @param now Monotonic milliseconds.
   * @returns true, or the seconds until there are enough for these and the one; a refusal takes nothing.
   */
  takeFurther(count: number, now: number): true | number {
    if (this.#rate <= 0) return true;
    const tokens = this.#tokensAt(now);
    const needed = Math.min(count, this.#capacity - 1);
    if (tokens < needed - (1 - ONE)) return (needed + 1 - tokens) / this.#rate;
    this.#spend(count, tokens, now);
    return true;
  }

  #tokensAt(now: number): number {
    const elapsed = Math.max(0, now - this.#at);
    return Math.min(this.#capacity, this.#tokens + (elapsed / 1000) * this.#rate);
  }

  #spend(count: number, tokens: number, now: number): void {
    this.#tokens = tokens - count;
    this.#at = Math.max(this.#at, now);
  }

  /** Put back a token that was taken. */
  giveBack(): void {
    if (this.#rate > 0) this.#tokens = Math.min(this.#capacity, this.#tokens + 1);
  }
}

/** The sentence of RATE_LIMIT_EXCEEDED. */
export function rateLimitMessage(retryAfterSeconds: number): string {
  return `Message rate limit exceeded. Retry after ${retryAfterSeconds.toFixed(3)} seconds.`;
}
