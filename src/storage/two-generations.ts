/**
 * A map that forgets what was not used for long. Two plain maps: the young one takes what is written or read, and when
 * it is full it becomes the old one, whose former content is forgotten. Several times cheaper than one map that deletes
 * its oldest entry each time.
 *
 * @module
 */

export class TwoGenerations<K, V> {
  readonly #perGeneration: number;
  #young = new Map<K, V>();
  #old = new Map<K, V>();

  /** @param limit entries kept at most; at least half as many of the latest ones are */
  constructor(limit: number) {
    this.#perGeneration = Math.max(1, Math.floor(limit / 2));
  }

  get(key: K): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: K, value: V): void {
    this.#young.set(key, value);
    if (this.#young.size < this.#perGeneration) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  delete(key: K): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
