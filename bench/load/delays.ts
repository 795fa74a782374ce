/**
 * How long events were on their way, of a part of them that is spread evenly.
 *
 * @module
 */
export interface Delays {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export class DelaySample {
  readonly #every: number;
  #values = new Float64Array(16_384);
  #count = 0;
  #until = 1;

  /** @param every One of so many is looked at. */
  constructor(every: number) {
    this.#every = every;
  }

  /** Whether the next one is to be looked at. */
  next(): boolean {
    if (--this.#until > 0) return false;
    this.#until = this.#every;
    return true;
  }

  add(milliseconds: number): void {
    if (this.#count === this.#values.length) {
      const longer = new Float64Array(this.#count * 2);
      longer.set(this.#values);
      this.#values = longer;
    }
    this.#values[this.#count++] = milliseconds;
  }

  /** In milliseconds. */
  figures(): Delays {
    const sorted = this.#values.slice(0, this.#count).sort();
    const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
    return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
  }
}
