/**
 * Real database files in a folder of their own, removed at the end of the test.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Database } from "../../src/ports/database.ts";
import { openDatabase } from "../../src/runtimes/database.ts";

/** A path for a database that does not exist yet. */
export function newDatabasePath(): string {
  const folder = mkdtempSync(join(tmpdir(), "storage-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "test.db");
}

/** An open database, closed at the end of the test. */
export async function newDatabase(path = newDatabasePath()): Promise<Database> {
  const database = await openDatabase(path);
  onTestFinished(() => database.close());
  return database;
}
