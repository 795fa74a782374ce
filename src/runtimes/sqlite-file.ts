/**
 * What can be told of a SQLite file before it is trusted: whether it is one, and whether it is whole.
 *
 * @module
 */
import { closeSync, openSync, readSync } from "node:fs";
import type { Database } from "../ports/database.ts";

/** Up to this size a whole file is checked (some tenths of a second). */
export const FULL_CHECK_BYTES = 268_435_456;

/** What every SQLite database begins with. */
const MAGIC = "SQLite format 3\0";

/** Whether a file begins as a database does; also where it cannot be read, which is told of when it is opened. */
export function isSqlite(path: string): boolean {
  try {
    const file = openSync(path, "r");
    try {
      const head = new Uint8Array(MAGIC.length);
      readSync(file, head, 0, head.length, 0);
      return new TextDecoder().decode(head) === MAGIC;
    } finally {
      closeSync(file);
    }
  } catch {
    return true;
  }
}

/**
 * Reads the whole file.
 *
 * @returns the first fault, in SQLite's words; null where there is none.
 */
export function damageOf(database: Database): string | null {
  const result = Object.values(database.prepare("PRAGMA quick_check(1)").get() ?? {})[0];
  return result === "ok" ? null : String(result);
}
