/**
 * Work of which only one piece may be under way at a time.
 *
 * @module
 */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Do this when all before it is over, however that ended. Settles as `work` does. */
  async take(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    await turn;
  }
}
