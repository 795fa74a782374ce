/**
 * A rate for each of many askers: a bucket per name, of which a bounded number is kept.
 *
 * @module
 */
import { TokenBucket } from "./token-bucket.ts";

/** Buckets that are kept. Of more askers at once the one that has been quiet for longest starts with a full one. */
const MAX_BUCKETS = 10_000;

export class RequestRate {
  #rate: number;
  #burst: number;
  /** The one that was asked last is the last. */
  readonly #buckets = new Map<string, TokenBucket>();

  /**
   * @param rate Requests per second; 0 is no limit.
   * @param burst Requests at once after a rest.
   */
  constructor(rate: number, burst: number) {
    this.#rate = rate;
    this.#burst = burst;
  }

  /** Another rate from now on. Everybody starts with a full bucket, unless it is the same. */
  change(rate: number, burst: number): void {
    if (rate === this.#rate && burst === this.#burst) return;
    this.#rate = rate;
    this.#burst = burst;
    this.#buckets.clear();
  }

  /**
   * One more request of this name.
   *
   * @param now Monotonic milliseconds.
   * @returns true, or the seconds until it may ask again.
   */
  take(name: string, now: number): true | number {
    return this.#rate <= 0 ? true : this.#bucket(name, now).take(now);
  }

  /**
   * A request of this name that was taken has turned out to be several.
   *
   * @param further How many there are beside the first.
   * @param now Monotonic milliseconds.
   * @returns true, or the seconds until it may ask for all of them again.
   */
  takeFurther(name: string, further: number, now: number): true | number {
    return this.#rate <= 0 ? true : this.#bucket(name, now).takeFurther(further, now);
  }

  #bucket(name: string, now: number): TokenBucket {
    const bucket = this.#buckets.get(name) ?? new TokenBucket(this.#rate, now, this.#burst);
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size > MAX_BUCKETS) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    return bucket;
  }

  /** A request that was taken shall not count after all. */
  giveBack(name: string): void {
    this.#buckets.get(name)?.giveBack();
  }

  /** Names that are known now. */
  get size(): number {
    return this.#buckets.size;
  }
}

/** The sentence of a refusal. */
export function requestRateMessage(waitSeconds: number): string {
  return `Request rate limit exceeded. Retry after ${waitSeconds.toFixed(3)} seconds.`;
}

/** The header `Retry-After` of a refusal, which knows whole seconds only. */
export function retryAfter(waitSeconds: number): string {
  return String(Math.max(1, Math.ceil(waitSeconds)));
}
