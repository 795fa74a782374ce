/**
 * Places that are taken and given back: so many in all, so many for one address.
 *
 * @module
 */
import { addressGroup, isThisMachine } from "./address.ts";

export interface PlaceBounds {
  /** Places in all; 0 for no limit. */
  readonly total: number;
  /** Places of one address; 0 for no limit. */
  readonly perAddress: number;
  /** True: addresses of this machine are held to `total` only. */
  readonly loopbackExempt: boolean;
}

/** Gives the place back. Harmless when called again. */
export type GiveBack = () => void;

/** Which bound stood in the way. */
export type Taken = "total" | "address";

export class Places {
  readonly #bounds: PlaceBounds;
  /** Those with a place only. */
  readonly #byAddress = new Map<string, number>();
  #all = 0;

  constructor(bounds: PlaceBounds) {
    this.#bounds = bounds;
  }

  /** Take a place. An address that is not known (null) is held to the number in all only. */
  take(address: string | null): GiveBack | Taken {
    const { total, perAddress, loopbackExempt } = this.#bounds;
    if (total > 0 && this.#all >= total) return "total";
    const group = perAddress > 0 && address !== null ? addressGroup(address) : null;
    if (group === null || (loopbackExempt && isThisMachine(group))) return this.#taken(null);
    const taken = this.#byAddress.get(group) ?? 0;
    if (taken >= perAddress) return "address";
    this.#byAddress.set(group, taken + 1);
    return this.#taken(group);
  }

  #taken(group: string | null): GiveBack {
    this.#all++;
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#all--;
      if (group === null) return;
      const left = (this.#byAddress.get(group) ?? 1) - 1;
      if (left > 0) this.#byAddress.set(group, left);
      else this.#byAddress.delete(group);
    };
  }
}
