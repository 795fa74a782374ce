/**
 * What a reader has not taken of all that was written to its socket, as far as it does not speak against the reader.
 *
 * @module
 */

/**
 * Why bytes that wait are no sign of slow reading. `replay`: it waits for the reader by itself. `fold`: more of its kind
 * is parked as soon as the reader is behind. Null: they are one.
 */
export type Pardon = "replay" | "fold" | null;

interface Stretch {
  readonly from: number;
  to: number;
  readonly pardon: NonNullable<Pardon>;
}

/** Begins when the first bytes are pardoned, and is of use until the reader has taken the last of them. */
export class PardonedLeftover {
  /** Bytes that were written since it began. */
  #written = 0;
  /** Stretches of what was written, or is to be, that are pardoned, until the reader has taken them. */
  #stretches: Stretch[] = [];

  /** Whether the reader has taken all that was pardoned. */
  get isEmpty(): boolean {
    return this.#stretches.length === 0;
  }

  /** So many bytes that are to be written are pardoned; they come behind `offset` others that are not written either. */
  pardon(bytes: number, pardon: NonNullable<Pardon>, offset: number): void {
    const from = this.#written + offset;
    const to = from + bytes;
    const last = this.#stretches.at(-1);
    if (last?.to === from && last.pardon === pardon) last.to = to;
    else this.#stretches.push({ from, to, pardon });
  }

  wrote(bytes: number): void {
    this.#written += bytes;
  }

  /** How much of the bytes that wait now is pardoned, by reason. */
  within(buffered: number): { readonly replay: number; readonly fold: number } {
    // Below zero where bytes wait that were written before.
    const taken = this.#written - buffered;
    this.#stretches = this.#stretches.filter(({ to }) => to > taken);
    const waiting = { replay: 0, fold: 0 };
    for (const { from, to, pardon } of this.#stretches) {
      waiting[pardon] += Math.max(0, Math.min(to, this.#written) - Math.max(from, taken));
    }
    return waiting;
  }
}
