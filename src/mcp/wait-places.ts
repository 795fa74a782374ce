/**
 * How many calls may wait at one time, in all and of one caller.
 *
 * @module
 */
import { type GiveBack, HeldPlaces } from "../limits/held-places.ts";
import type { Caller } from "./tool.ts";

export interface WaitBounds {
  readonly total: number;
  readonly perCaller: number;
}

export const WAIT_BOUNDS: WaitBounds = { total: 1_000, perCaller: 50 };

export class WaitPlaces {
  readonly #bounds: WaitBounds;
  readonly #held = new HeldPlaces();

  constructor(bounds: WaitBounds = WAIT_BOUNDS) {
    this.#bounds = bounds;
  }

  /** Take a place. @returns the way to give it back, or a sentence that says why there is none. */
  take(caller: Caller): GiveBack | string {
    const { total, perCaller } = this.#bounds;
    const key = keyOf(caller);
    const advice =
      "let one of them end, or wait for several events in one call: with `kind:*` as the channel";
    if (this.#held.of(key) >= perCaller) return `You wait in ${perCaller} calls already: ${advice}`;
    if (this.#held.all >= total) return `${total} calls wait already: try again in a few seconds`;
    return this.#held.take(key);
  }
}

function keyOf({ identity, origin }: Caller): string {
  return JSON.stringify(identity.userId === null ? ["origin", origin] : ["user", identity.userId]);
}
