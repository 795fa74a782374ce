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
  #bounds: PlaceBounds;
  readonly #held = new HeldPlaces();

  constructor(bounds: PlaceBounds) {
    this.#bounds = bounds;
  }

  /** Other bounds from now on. Whoever has a place keeps it. */
  change(bounds: Omit<PlaceBounds, "loopbackExempt">): void {
    this.#bounds = { ...this.#bounds, ...bounds };
  }

  /** Take a place. An address that is not known (null) is held to the number in all only. */
  take(address: string | null): GiveBack | Taken {
    const holder = this.#holderOf(address);
    return this.#bound(holder) ?? this.#held.take(holder);
  }

  /**
   * The same for those who keep count themselves, since a function for each would cost them more than the place.
   *
   * @returns null where a place was taken: `leave` gives it back.
   */
  enter(address: string | null): Taken | null {
    const holder = this.#holderOf(address);
    const bound = this.#bound(holder);
    if (bound === null) this.#held.add(holder);
    return bound;
  }

  /** Give a place back. To be called once for each that `enter` has given, with the same address. */
  leave(address: string | null): void {
    this.#held.remove(this.#holderOf(address));
  }

  /** Null for one who is held to the number in all only. */
  #holderOf(address: string | null): string | null {
    const { loopbackExempt } = this.#bounds;
    if (address === null) return null;
    const group = addressGroup(address);
    return loopbackExempt && isThisMachine(group) ? null : group;
  }

  /** What stands in the way of one more. */
  #bound(holder: string | null): Taken | null {
    const { total, perAddress } = this.#bounds;
    if (total > 0 && this.#held.all >= total) return "total";
    return holder !== null && perAddress > 0 && this.#held.of(holder) >= perAddress ? "address" : null;
  }
}
