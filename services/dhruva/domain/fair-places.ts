/**
 * Places that several callers share: none of them can take all.
 *
 * @module
 */

/** Gives the place back. Harmless when called again. */
export type GiveBack = () => void;

/** Which bound stood in the way: all places are taken, or the caller holds its share. */
export type Denied = "all" | "share";

/** Places that a caller may hold for each that is free. Alone, it has two thirds of all. */
const HELD_PER_FREE = 2;

/**
 * A caller gets another place while it holds less than twice as many as are free, and never the last one when it holds
 * one already. So each who comes later finds fewer, but it takes many callers to leave none.
 */
export class FairPlaces {
  readonly #most: number;
  /** Those with a place only. */
  readonly #held = new Map<string, number>();
  #taken = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get taken(): number {
    return this.#taken;
  }

  take(caller: string): GiveBack | Denied {
    const free = this.#most - this.#taken;
    if (free === 0) return "all";
    const held = this.#held.get(caller) ?? 0;
    if (held > 0 && (free === 1 || held >= HELD_PER_FREE * free)) return "share";
    this.#taken++;
    this.#held.set(caller, held + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#taken--;
      const left = (this.#held.get(caller) ?? 1) - 1;
      if (left > 0) this.#held.set(caller, left);
      else this.#held.delete(caller);
    };
  }
}
