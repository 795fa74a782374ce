/**
 * Who holds how many places. Whether there is one to be had is for whoever asks.
 *
 * @module
 */

/** Gives the place back. Harmless when called again. */
export type GiveBack = () => void;

export class HeldPlaces {
  /** Those with a place only. */
  readonly #byHolder = new Map<string, number>();
  #all = 0;

  /** Places that are held. */
  get all(): number {
    return this.#all;
  }

  of(holder: string): number {
    return this.#byHolder.get(holder) ?? 0;
  }

  /** @param holder Null for one who is counted among all only. */
  take(holder: string | null): GiveBack {
    this.add(holder);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.remove(holder);
    };
  }

  /** One more, for those who keep count themselves: no function is made. */
  add(holder: string | null): void {
    this.#all++;
    if (holder !== null) this.#byHolder.set(holder, this.of(holder) + 1);
  }

  /** One less. To be called as often as `add`. */
  remove(holder: string | null): void {
    this.#all--;
    if (holder === null) return;
    const left = this.of(holder) - 1;
    if (left > 0) this.#byHolder.set(holder, left);
    else this.#byHolder.delete(holder);
  }
}
