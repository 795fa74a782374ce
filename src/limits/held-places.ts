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
    this.#all++;
    if (holder !== null) this.#byHolder.set(holder, this.of(holder) + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#all--;
      if (holder === null) return;
      const left = this.of(holder) - 1;
      if (left > 0) this.#byHolder.set(holder, left);
      else this.#byHolder.delete(holder);
    };
  }
}
