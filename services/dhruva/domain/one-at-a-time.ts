/**
 * Pieces of work that must not run beside each other.
 *
 * @module
 */

export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  /** Run `work` when all that was given before has ended. Gives what `work` gives. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    const last = this.#last;
    await last;
    if (last !== this.#last) await this.idle();
  }
}
