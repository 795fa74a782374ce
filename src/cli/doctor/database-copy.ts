/**
 * What is in a database: whether it is whole, ours, and of a version that this program knows. It is looked at in a copy,
 * since opening one may write to it.
 *
 * @module
 */
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Database } from "../../ports/database.ts";
import { fileFault, isMissing } from "../../runtimes/file-fault.ts";
import { sqliteEngine } from "../../runtimes/sqlite-driver.ts";
import { damageOf, FULL_CHECK_BYTES, isForeign } from "../../runtimes/sqlite-file.ts";
import type { Service } from "../../service/define-service.ts";
import { newerTables } from "../../storage/migrations.ts";
import { STANDARD_TABLES } from "../../storage/standard-tables.ts";
import { fail, type Finding, type Findings, ok, warn } from "./finding.ts";

const CHECK = "storage.file";
const MIB = 1_048_576;
/** What SQLite says of a file, and not of the place that it is in. */
const DAMAGE = /malformed|corrupt|not a database|disk image/i;

/** @param size of the file, in bytes */
export async function* examineCopy(file: string, size: number, service: Pick<Service, "tables">): Findings {
  if (size > FULL_CHECK_BYTES) {
    return yield ok(
      CHECK,
      `"${file}" is a database of ${Math.round(size / MIB)} MiB, too large to be read whole here`,
    );
  }
  let folder: string | null = null;
  try {
    folder = await mkdtemp(join(tmpdir(), "mcp-realtime-doctor-"));
    const copy = join(folder, basename(file));
    await copyFile(file, copy);
    await copyFile(`${file}-wal`, `${copy}-wal`).catch((error) => {
      if (!isMissing(error)) throw error;
    });
    const database = (await sqliteEngine())(copy);
    try {
      yield verdictOn(database, file, service);
    } finally {
      database.close();
    }
  } catch (error) {
    const { message } = error as Error;
    if (DAMAGE.test(message)) return yield damaged(file, message);
    const [reason] = (isMissing(error) ? "there is no such folder" : fileFault(error)).split("; ");
    yield warn(
      CHECK,
      `"${file}" was not looked into, as no copy of it can be read in "${tmpdir()}": ${reason}`,
      "set TMPDIR to a folder with room for it",
    );
  } finally {
    if (folder !== null) await rm(folder, { recursive: true, force: true });
  }
}

function verdictOn(database: Database, file: string, { tables }: Pick<Service, "tables">): Finding {
  const damage = damageOf(database)?.replaceAll(/\s+/g, " ");
  if (damage !== undefined) return damaged(file, damage);
  if (isForeign(database)) {
    return fail(CHECK, `"${file}" holds tables of another program`, "set storage.path to another file");
  }
  const newer = newerTables(database, [...STANDARD_TABLES, ...tables ? [tables] : []]);
  if (newer === null) return ok(CHECK, `"${file}" can be opened and is whole`);
  const { owner, version, known } = newer;
  return fail(
    CHECK,
    `"${file}" has version ${version} of the tables of '${owner}', this program knows ${known}`,
    "start the newer program that wrote it, or set storage.path to another file",
  );
}

function damaged(file: string, fault: string): Finding {
  return fail(
    CHECK,
    `"${file}" is damaged: ${fault}`,
    "restore it from a backup, or move it away to start with an empty one",
  );
}
