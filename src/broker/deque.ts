/**
 * A list that is cheap at both ends.
 *
 * @module
 */

export class Deque<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** The item at an index from the front; negative indexes are not known. */
  at(index: number): T | undefined {
    return this.#items[this.#head + index];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  pop(): T | undefined {
    return this.length === 0 ? undefined : this.#items.pop();
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    // Moved together once in a while, so that each item is moved about once.
    if (this.#head >= 32 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Put an item back in front. Cheap after `shift`. */
  unshift(item: T): void {
    if (this.#head > 0) this.#items[--this.#head] = item;
    else this.#items.unshift(item);
  }

  /** Drop the items that do not pass. */
  keep(passes: (item: T) => boolean): void {
    this.#items = this.#items.slice(this.#head).filter((item) => passes(item as T));
    this.#head = 0;
  }

  /** The lowest index whose item passes, where all items after one that passes do too; `length` for none. */
  firstIndex(passes: (item: T) => boolean): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (passes(this.at(middle) as T)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
