/**
 * Lets those who read the past take turns: one piece in each turn of the process, whoever reads, so that a thousand
 * who look back slow each other down and nobody else.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";

interface Waiting {
  readonly hasEnded: () => boolean;
  readonly resolve: (isMine: boolean) => void;
}

export class ReadingTurns {
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  #isTaken = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves with true when it is the reader's turn to read a piece, with false when it has ended meanwhile. */
  take(hasEnded: () => boolean): Promise<boolean> {
    if (!this.#isTaken) {
      this.#begin();
      return Promise.resolve(true);
    }
    return new Promise((resolve) => this.#waiting.push({ hasEnded, resolve }));
  }

  #begin(): void {
    this.#isTaken = true;
    this.#clock.endOfTick(() => this.#next());
  }

  #next(): void {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      const isMine = !next.hasEnded();
      next.resolve(isMine);
      if (isMine) return this.#begin();
    }
    this.#isTaken = false;
  }
}
