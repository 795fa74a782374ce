/**
 * A queue in which owners take turns: one of many tasks does not keep others waiting.
 *
 * @module
 */
export class FairQueue<T> {
  /** The first owner is the next one's turn. */
  readonly #lines = new Map<string, T[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(owner: string, item: T): void {
    const line = this.#lines.get(owner);
    if (line) line.push(item);
    else this.#lines.set(owner, [item]);
    this.#size++;
  }

  /** The next item; its owner goes to the end. */
  take(): T | undefined {
    for (const [owner, line] of this.#lines) {
      const item = line.shift();
      this.#lines.delete(owner);
      if (line.length > 0) this.#lines.set(owner, line);
      this.#size--;
      return item;
    }
    return undefined;
  }

  /** Take out what an owner has in line. */
  drop(owner: string): void {
    this.#size -= this.#lines.get(owner)?.length ?? 0;
    this.#lines.delete(owner);
  }

  clear(): void {
    this.#lines.clear();
    this.#size = 0;
  }
}
