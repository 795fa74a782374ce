/**
 * Places that are taken and given back: so many in all, so many for one address.
 *
 * @module
 */
import { addressGroup, isThisMachine } from "./address.ts";
import { type GiveBack, HeldPlaces } from "./held-places.ts";

export interface PlaceBounds {
  /** Places in all; 0 for no limit. */
  readonly total: number;
  /** Places of one address; 0 for no limit. */
  readonly perAddress: number;
  /** True: addresses of this machine are held to `total` only. */
  readonly loopbackExempt: boolean;
}

/** Which bound stood in the way. */
export type Taken = "total" | "address";

export class Places {
  readonly #bounds: PlaceBounds;
  readonly #held = new HeldPlaces();

  constructor(bounds: PlaceBounds) {
    this.#bounds = bounds;
  }

  /** Take a place. An address that is not known (null) is held to the number in all only. */
  take(address: string | null): GiveBack | Taken {
    const { total, perAddress, loopbackExempt } = this.#bounds;
    if (total > 0 && this.#held.all >= total) return "total";
    const group = perAddress > 0 && address !== null ? addressGroup(address) : null;
    if (group === null || (loopbackExempt && isThisMachine(group))) return this.#held.take(null);
    return this.#held.of(group) >= perAddress ? "address" : this.#held.take(group);
  }
}
