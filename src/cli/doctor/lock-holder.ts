/**
 * Which program keeps others from writing to a database, where the system tells: Linux does.
 *
 * @module
 */
import { readFile, stat } from "node:fs/promises";
import process from "node:process";
import { isWal } from "../../runtimes/sqlite-file.ts";

/** A program that has it locked now, like `sqlite3 (process 4711)`; null where none is known. Changes nothing. */
export async function lockHolder(file: string): Promise<string | null> {
  const table = await readFile("/proc/locks", "utf8").catch(() => "");
  // Who reads in the mode of a write-ahead log keeps nobody out, and who writes locks the log's index.
  const keepsOut = isWal(file) ? /^WRITE$/ : /^(READ|WRITE)$/;
  const places = await Promise.all([file, `${file}-shm`].map(placeOf));
  for (const line of table.split("\n")) {
    const [, , , kind = "", pid = "", place = ""] = line.trim().replace(/^(\d+:) ->/, "$1").split(/\s+/);
    if (!keepsOut.test(kind) || !places.includes(place) || Number(pid) === process.pid) continue;
    const name = (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim();
    return name === "" ? "one that is not known" : `${name} (process ${pid})`;
  }
  return null;
}

/** Device and number of a file, as the table of locks has them. */
async function placeOf(path: string): Promise<string | null> {
  const facts = await stat(path).catch(() => null);
  if (facts === null) return null;
  const device = BigInt(facts.dev);
  const major = Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n));
  const minor = Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n));
  const hex = (part: number) => part.toString(16).padStart(2, "0");
  return `${hex(major)}:${hex(minor)}:${facts.ino}`;
}
