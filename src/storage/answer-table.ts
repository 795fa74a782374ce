/**
 * Answers for idempotency keys, in the database: they stand and fall with the change that they belong to, and survive
 * the process. See `Answers`.
 *
 * @module
 */
import {
  type AnswerBounds,
  type Answers,
  DEFAULT_ANSWER_BOUNDS,
  type StoredAnswer,
} from "../ports/answers.ts";
import type { Once } from "../ports/call.ts";
import type { Clock } from "../ports/clock.ts";
import type { Database, Statement } from "../ports/database.ts";
import { utf8Length } from "../protocol/utf8.ts";
import { migrate } from "./migrations.ts";

/** `id` grows with every answer, so the lowest is the oldest. `answer` comes last: a long one spills over. */
export const ANSWER_STEPS: readonly string[] = [
  `CREATE TABLE answers (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     at INTEGER NOT NULL,
     bytes INTEGER NOT NULL,
     scope TEXT NOT NULL,
     key TEXT NOT NULL,
     digest TEXT NOT NULL,
     answer TEXT NOT NULL,
     UNIQUE (scope, key)
   );`,
];

export interface AnswerTableOptions {
  /** Stays open: it belongs to whoever opened it. */
  readonly database: Database;
  readonly clock: Clock;
  /** Age is exact. Count and bytes may be exceeded by a sixteenth until the next look. */
  readonly bounds?: AnswerBounds;
}

export class AnswerTable implements Answers {
  readonly #clock: Clock;
  readonly #bounds: AnswerBounds;
  readonly #find: Statement;
  readonly #save: Statement;
  readonly #tooOld: Statement;
  readonly #newestFirst: Statement;
  readonly #deleteUpTo: Statement;
  #savedSince = 0;
  #bytesSince = 0;

  constructor(options: AnswerTableOptions) {
    const { database } = options;
    this.#clock = options.clock;
    this.#bounds = options.bounds ?? DEFAULT_ANSWER_BOUNDS;
    migrate(database, "answers", ANSWER_STEPS);
    this.#find = database.prepare(
      "SELECT digest, answer FROM answers WHERE scope = ? AND key = ? AND at >= ?",
    );
    this.#save = database.prepare(
      "INSERT OR REPLACE INTO answers (at, bytes, scope, key, digest, answer) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#tooOld = database.prepare("DELETE FROM answers WHERE at < ?");
    this.#newestFirst = database.prepare("SELECT id, bytes FROM answers ORDER BY id DESC");
    this.#deleteUpTo = database.prepare("DELETE FROM answers WHERE id <= ?");
    this.#prune();
  }

  find(once: Once): StoredAnswer | undefined {
    const row = this.#find.get<{ digest: string; answer: string }>(once.scope, once.key, this.#oldest());
    return row && { digest: row.digest, answer: row.answer };
  }

  save(once: Once, answer: string): void {
    const { scope, key, digest } = once;
    const bytes = utf8Length(answer) + scope.length + key.length + digest.length;
    this.#save.run(this.#clock.now(), bytes, scope, key, digest, answer);
    this.#savedSince++;
    this.#bytesSince += bytes;
    if (this.#savedSince > this.#bounds.count / 16 || this.#bytesSince > this.#bounds.bytes / 16) {
      this.#prune();
    }
  }

  #oldest(): number {
    return this.#clock.now() - this.#bounds.ageMs;
  }

  #prune(): void {
    this.#savedSince = this.#bytesSince = 0;
    this.#tooOld.run(this.#oldest());
    let count = 0;
    let bytes = 0;
    for (const row of this.#newestFirst.all<{ id: number; bytes: number }>()) {
      count++;
      bytes += row.bytes;
      if (count <= this.#bounds.count && bytes <= this.#bounds.bytes) continue;
      this.#deleteUpTo.run(row.id);
      return;
    }
  }
}
