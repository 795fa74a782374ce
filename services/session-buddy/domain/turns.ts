/**
 * Work of which only so much is done at a time; the rest waits in line, and not for ever.
 *
 * @module
 */
import type { Clock } from "../../../src/ports/clock.ts";

export interface TurnsOptions {
  readonly atOnce: number;
  /** How long one may wait for its turn, in milliseconds. */
  readonly patienceMs: number;
  readonly clock: Clock;
}

export class Turns {
  readonly #options: TurnsOptions;
  /** Those that wait, the first first. */
  readonly #line = new Set<() => void>();
  #busy = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Do the work when its turn comes. Null where that was not in time; the work is then not done. */
  async take<T>(work: () => Promise<T>): Promise<T | null> {
    if (this.#busy < this.#options.atOnce) this.#busy++;
    // Whoever has finished hands its place on.
    else if (!await this.#wait()) return null;
    try {
      return await work();
    } finally {
      this.#handOn();
    }
  }

  #wait(): Promise<boolean> {
    return new Promise((resolve) => {
      const begin = () => {
        giveUp();
        resolve(true);
      };
      const giveUp = this.#options.clock.after(this.#options.patienceMs, () => {
        this.#line.delete(begin);
        resolve(false);
      });
      this.#line.add(begin);
    });
  }

  #handOn(): void {
    for (const begin of this.#line) {
      this.#line.delete(begin);
      return begin();
    }
    this.#busy--;
  }
}
