/**
 * Finds the seq from which on events are young enough. Age follows seq (see `EVENT_STEPS`), so this is a search by
 * halves over the primary key, and one look where nothing has aged since the last search.
 *
 * @module
 */
import type { Database, Statement } from "../ports/database.ts";

interface Probe {
  readonly seq: number;
  readonly at: number;
}

export class AgeFloor {
  readonly #at: Statement;
  /** Floors found so far, by age. They only rise. */
  readonly #found = new Map<number, number>();

  constructor(database: Database) {
    this.#at = database.prepare("SELECT seq, at FROM events WHERE seq >= ? ORDER BY seq LIMIT 1");
  }

  /**
   * Every event below the returned seq is older than `ageMs`, every other is not.
   *
   * @param head the highest seq given
   */
  find(ageMs: number, now: number, head: number): number {
    const cutoff = now - ageMs;
    const probe = (seq: number): Probe | undefined => this.#at.get<{ seq: number; at: number }>(seq);
    let low = this.#found.get(ageMs) ?? 1;
    let high = head + 1;
    for (let step = 1; low < high; step *= 2) {
      const row = probe(Math.min(low + step - 1, head));
      if (!row || row.at >= cutoff) {
        high = Math.min(low + step - 1, head);
        break;
      }
      low = row.seq + 1;
    }
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const row = probe(middle);
      if (!row || row.at >= cutoff) high = middle;
      else low = row.seq + 1;
    }
    this.#found.set(ageMs, low);
    return low;
  }

  /** Forget what was found: rows that it was found from are gone again. */
  clear(): void {
    this.#found.clear();
  }
}
