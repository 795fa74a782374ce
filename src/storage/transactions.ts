/**
 * Transactions of one database connection. Calls inside a transaction join it.
 *
 * @module
 */
import type { Database } from "../ports/database.ts";

export class Transactions {
  readonly #database: Database;
  readonly #onRollback: () => void;
  #active = false;
  /** What a joined call threw. Half of its work is done, so the whole can only be undone. */
  #broken: { readonly error: unknown } | null = null;

  /** @param onRollback puts back what memory knew before the transaction; called when the database is back there */
  constructor(database: Database, onRollback: () => void = () => {}) {
    this.#database = database;
    this.#onRollback = onRollback;
  }

  /** True while `work` of a call to `run` is under way. */
  get active(): boolean {
    return this.#active;
  }

  /**
   * Run `work`, then commit. A throw rolls back and is passed on, and so does a commit that fails. Where a joined call
   * threw and its caller went on all the same, the outermost call rolls back and throws too.
   */
  run<T>(work: () => T): T {
    if (this.#active) return this.#join(work);
    this.#database.exec("BEGIN IMMEDIATE");
    this.#active = true;
    this.#broken = null;
    try {
      const result = work();
      this.#refuseBroken();
      this.#database.exec("COMMIT");
      this.#active = false;
      return result;
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  #join<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#broken ??= { error };
      throw error;
    }
  }

  #refuseBroken(): void {
    if (!this.#broken) return;
    throw new Error("Cannot commit: a call inside this transaction failed", { cause: this.#broken.error });
  }

  #rollback(): void {
    try {
      this.#database.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself, as it does when the disk is full.
    }
    this.#active = false;
    this.#onRollback();
  }
}
