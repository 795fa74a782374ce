/**
 * How much more may be kept: of what there may be in all, what is kept and what is on its way in is taken.
 *
 * @module
 */

/** Room that content on its way in has taken. */
export interface Reservation {
  /** So many bytes have come by now. False where there is no room for them: then nothing more is taken. */
  grow(bytes: number): boolean;
  /** The content is kept, or is not to be. Harmless when called again. */
  release(): void;
}

export class Room {
  readonly #total: number;
  readonly #kept: () => number;
  #incoming = 0;

  /**
   * @param total In bytes; 0 for no limit.
   * @param kept Bytes that are kept.
   */
  constructor(total: number, kept: () => number) {
    this.#total = total;
    this.#kept = kept;
  }

  /**
   * Take room for content that comes in.
   *
   * @param announced Its size, in bytes; 0 where nobody knows.
   * @returns null where there is no room for that
   */
  reserve(announced: number): Reservation | null {
    if (!this.#take(announced)) return null;
    let taken = announced;
    let isOver = false;
    return {
      grow: (bytes) => {
        if (bytes <= taken) return true;
        if (isOver || !this.#take(bytes - taken)) return false;
        taken = bytes;
        return true;
      },
      release: () => {
        if (isOver) return;
        isOver = true;
        this.#incoming -= taken;
      },
    };
  }

  #take(bytes: number): boolean {
    const isFull = this.#total > 0 && this.#kept() + this.#incoming + bytes > this.#total;
    // Nothing at all fits even where the limit was lowered.
    if (isFull && bytes > 0) return false;
    this.#incoming += bytes;
    return true;
  }
}
