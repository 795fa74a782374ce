/**
 * What can be told of a SQLite file before it is trusted: whether it is one, whose it is, and whether it is whole.
 *
 * @module
 */
import { closeSync, openSync, readSync } from "node:fs";
import type { Database } from "../ports/database.ts";

/** Up to this size a whole file is checked (some tenths of a second). */
export const FULL_CHECK_BYTES = 268_435_456;

/** What every SQLite database begins with. */
const MAGIC = "SQLite format 3\0";
const HEAD_BYTES = 100;
const WRITE_VERSION_AT = 18;
const APPLICATION_AT = 68;

/** Stands in the head of every database that is made here: the letters "mcpr". */
const APPLICATION = 0x6d637072;

/** Whether a file begins as a database does; also where it cannot be read, which is told of when it is opened. */
export function isSqlite(path: string): boolean {
  const head = headOf(path);
  return head === null || new TextDecoder().decode(head.subarray(0, MAGIC.length)) === MAGIC;
}

/** Whether the note that `claim` makes stands in a file. */
export function isClaimed(path: string): boolean {
  const head = headOf(path);
  return head !== null && new DataView(head.buffer).getUint32(APPLICATION_AT) === APPLICATION;
}

/** Whether a file is in the mode in which readers and a writer do not keep each other out. */
export function isWal(path: string): boolean {
  return headOf(path)?.[WRITE_VERSION_AT] === 2;
}

/** The first 100 bytes; null where they cannot be read. */
function headOf(path: string): Uint8Array | null {
  try {
    const file = openSync(path, "r");
    try {
      const head = new Uint8Array(HEAD_BYTES);
      readSync(file, head, 0, head.length, 0);
      return head;
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
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

/** Note in a database without tables that it is ours. */
export function claim(database: Database): void {
  if (tableCount(database) === 0) database.exec(`PRAGMA application_id = ${APPLICATION}`);
}

/** Whether it holds tables of another program. One without the note is ours where it counts migrations as we do. */
export function isForeign(database: Database): boolean {
  const { application_id: id } = database.prepare("PRAGMA application_id").get<{ application_id: number }>()!;
  if (id === APPLICATION || tableCount(database) === 0) return false;
  const { columns } = database.prepare(
    "SELECT count(*) AS columns FROM pragma_table_info('migrations') WHERE name IN ('owner', 'steps')",
  ).get<{ columns: number }>()!;
  return id !== 0 || columns !== 2;
}

function tableCount(database: Database): number {
  return database.prepare("SELECT count(*) AS tables FROM sqlite_schema").get<{ tables: number }>()!.tables;
}
