/**
 * Where blobs lie: in a folder of the settings, or one beside the database; for a database in memory, in one that goes
 * with it.
 *
 * @module
 */
import type { Database } from "../../../src/ports/database.ts";
import type { Files } from "../../../src/ports/files.ts";
import type { Workspace } from "../../../src/ports/workspace.ts";

export interface BlobFolder {
  readonly path: string;
  /** Removes it where it was for this run only. */
  close(): Promise<void>;
}

export async function blobFolder(
  { database, files }: { readonly database: Database; readonly files: Files },
  workspace: Workspace,
  setting: string | undefined,
): Promise<BlobFolder> {
  const file = databaseFile(database);
  const named = setting ?? (file && `${file}.blobs`);
  if (named) return { path: files.resolve(named), close: () => Promise.resolve() };
  const path = await workspace.makeTemporaryFolder("mcp-realtime-dhruva-");
  return { path, close: () => workspace.remove(path) };
}

/** Empty for a database in memory. */
function databaseFile(database: Database): string {
  const rows = database.prepare("PRAGMA database_list").all<{ name: string; file: string | null }>();
  return rows.find(({ name }) => name === "main")?.file ?? "";
}
