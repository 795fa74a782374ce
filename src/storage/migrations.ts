/**
 * Brings the tables of a database up to date. Each owner of tables (`events`, `answers`, a service) has its own list of
 * steps and its own version; steps are only ever added at the end, never changed.
 *
 * @module
 */
import { type Database, DatabaseError } from "../ports/database.ts";

/**
 * Take the steps that this database has not taken yet, each in a transaction with the note that it was taken.
 *
 * @param name owner of the tables
 * @param steps SQL, one or more statements each, oldest first
 * @throws {DatabaseError} where a step fails, or where the database was written by a newer version that took steps
 * unknown to this one.
 */
export function migrate(database: Database, name: string, steps: readonly string[]): void {
  try {
    database.exec(
      "CREATE TABLE IF NOT EXISTS migrations (owner TEXT PRIMARY KEY, steps INTEGER NOT NULL) WITHOUT ROWID",
    );
  } catch (error) {
    throw failure(`Cannot read which tables of '${name}' there are`, error);
  }
  while (takeNext(database, name, steps));
}

/** The tables that one owner has, by the steps that make them. */
export interface Tables {
  readonly owner: string;
  /** As for `migrate`. */
  readonly steps: readonly string[];
}

/** Tables of a version that this program does not know. */
export interface NewerTables {
  readonly owner: string;
  readonly version: number;
  readonly known: number;
}

/** What `migrate` would refuse of a database; null where it would take it. Changes nothing. */
export function newerTables(database: Database, tables: readonly Tables[]): NewerTables | null {
  const isCounted = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'migrations'").get();
  if (!isCounted) return null;
  const find = database.prepare("SELECT steps FROM migrations WHERE owner = ?");
  for (const { owner, steps } of tables) {
    const version = find.get<{ steps: number }>(owner)?.steps ?? 0;
    if (version > steps.length) return { owner, version, known: steps.length };
  }
  return null;
}

/** Take one step. False when there is none left. */
function takeNext(database: Database, name: string, steps: readonly string[]): boolean {
  // The lock comes first, so that a second process that starts now waits and then finds the step taken.
  begin(database, name);
  try {
    const row = database.prepare("SELECT steps FROM migrations WHERE owner = ?").get<{ steps: number }>(name);
    const taken = row?.steps ?? 0;
    if (taken > steps.length) {
      throw new DatabaseError(
        `Cannot use ${
          nameOf(database)
        }: it has version ${taken} of the tables of '${name}', this program knows ` +
          `${steps.length}; start the newer program that wrote it, or use another file`,
      );
    }
    const step = steps[taken];
    if (step === undefined) {
      database.exec("ROLLBACK");
      return false;
    }
    database.exec(step);
    database.prepare("INSERT OR REPLACE INTO migrations (owner, steps) VALUES (?, ?)").run(name, taken + 1);
    database.exec("COMMIT");
    return true;
  } catch (error) {
    rollback(database);
    if (error instanceof DatabaseError) throw error;
    throw failure(`Cannot bring the tables of '${name}' up to date`, error);
  }
}

function begin(database: Database, name: string): void {
  try {
    database.exec("BEGIN IMMEDIATE");
  } catch (error) {
    throw failure(`Cannot lock the database to look after the tables of '${name}'`, error);
  }
}

function rollback(database: Database): void {
  try {
    database.exec("ROLLBACK");
  } catch {
    // SQLite has rolled back by itself, as it does when the disk is full.
  }
}

function failure(sentence: string, cause: unknown): DatabaseError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new DatabaseError(`${sentence}: ${detail}`, { cause });
}

/** With its path, where it is a file. */
function nameOf(database: Database): string {
  const { file } = database.prepare("PRAGMA database_list").get<{ file: string | null }>() ?? { file: null };
  return file ? `the database "${file}"` : "this database";
}
