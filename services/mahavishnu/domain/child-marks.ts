/**
 * Marks of the children that run, kept so that the next start of the service finds what this one may leave behind.
 *
 * @module
 */
import type { Database, Statement } from "../../../src/ports/database.ts";
import type { ProcessMark } from "../../../src/ports/processes.ts";

export class ChildMarks {
  readonly #add: Statement;
  readonly #remove: Statement;
  readonly #all: Statement;

  constructor(database: Database) {
    this.#add = database.prepare("INSERT OR IGNORE INTO children (pid, started_at) VALUES (?, ?)");
    this.#remove = database.prepare("DELETE FROM children WHERE pid = ? AND started_at = ?");
    this.#all = database.prepare("SELECT pid, started_at FROM children");
  }

  add({ pid, startedAt }: ProcessMark): void {
    this.#add.run(pid, startedAt);
  }

  remove({ pid, startedAt }: ProcessMark): void {
    this.#remove.run(pid, startedAt);
  }

  all(): ProcessMark[] {
    return this.#all.all<{ pid: number | bigint; started_at: string }>()
      .map(({ pid, started_at }) => ({ pid: Number(pid), startedAt: started_at }));
  }
}
