/**
 * How many calls may wait at one time, in all and of one caller.
 *
 * @module
 */
import type { Caller } from "./tool.ts";

export interface WaitBounds {
  readonly total: number;
  readonly perCaller: number;
}

export const WAIT_BOUNDS: WaitBounds = { total: 1_000, perCaller: 50 };

export class WaitPlaces {
  readonly #bounds: WaitBounds;
  /** Those who wait only. */
  readonly #byCaller = new Map<string, number>();
  #all = 0;

  constructor(bounds: WaitBounds = WAIT_BOUNDS) {
    this.#bounds = bounds;
  }

  /** Take a place. @returns the way to give it back, to be called once; or a sentence that says why there is none. */
  take(caller: Caller): (() => void) | string {
    const { total, perCaller } = this.#bounds;
    const key = keyOf(caller);
    const own = this.#byCaller.get(key) ?? 0;
    const advice =
      "let one of them end, or wait for several events in one call: with `kind:*` as the channel";
    if (own >= perCaller) return `You wait in ${perCaller} calls already: ${advice}`;
    if (this.#all >= total) return `${total} calls wait already: try again in a few seconds`;
    this.#byCaller.set(key, own + 1);
    this.#all++;
    return () => {
      this.#all--;
      const left = (this.#byCaller.get(key) ?? 1) - 1;
      if (left > 0) this.#byCaller.set(key, left);
      else this.#byCaller.delete(key);
    };
  }
}

function keyOf({ identity, origin }: Caller): string {
  return JSON.stringify(identity.userId === null ? ["origin", origin] : ["user", identity.userId]);
}
