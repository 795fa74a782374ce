/**
 * The database of a service: its folder, its rights, the room on the disk, and whether it is damaged. It is looked at in
 * a copy, since opening one may write to it.
 *
 * @module
 */
import { constants } from "node:fs";
import { access, copyFile, mkdtemp, rm, stat, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileFault, isMissing } from "../../runtimes/file-fault.ts";
import { type OpenEngine, sqliteEngine } from "../../runtimes/sqlite-driver.ts";
import { damageOf, FULL_CHECK_BYTES, isSqlite } from "../../runtimes/sqlite-file.ts";
import { fail, type Finding, type Findings, ok, warn } from "./finding.ts";
import type { Presence, Subject } from "./subject.ts";

const MIB = 1_048_576;
/** Less room than this keeps a service from writing before long. */
const LITTLE_ROOM_BYTES = 1_024 * MIB;
const NO_ROOM_BYTES = 64 * MIB;

const ADVICE = "change the owner or the mode, or set storage.path to another file";

export async function* examineStorage({ settings, name }: Subject, presence: Presence): Findings {
  const { path } = settings.storage;
  if (path === "none" || path === ":memory:") {
    return yield ok("storage.file", `Nothing is kept beyond the process: storage.path is "${path}"`);
  }
  const file = resolve(path);
  const folder = yield* examineFolder(dirname(file));
  if (folder !== null) yield* examineRoom(folder);
  yield* examineFile(file, name, presence);
}

/** @returns the nearest folder that exists; null where it cannot be written to */
async function* examineFolder(folder: string): AsyncGenerator<Finding, string | null, undefined> {
  const check = "storage.folder";
  for (let at = folder;; at = dirname(at)) {
    try {
      const facts = await stat(at);
      if (!facts.isDirectory()) {
        yield fail(check, `"${at}" is no folder`, "remove it, or set storage.path to another file");
        return null;
      }
      await access(at, constants.W_OK | constants.X_OK);
      yield ok(
        check,
        at === folder ? `Folder "${folder}" can be written to` : `Folder "${folder}" will be made in "${at}"`,
      );
      return at;
    } catch (error) {
      if (isMissing(error) && dirname(at) !== at) continue;
      const [reason, advice] = fileFault(error).split("; ");
      yield fail(check, `Cannot write to the folder "${at}": ${reason}`, advice ?? ADVICE);
      return null;
    }
  }
}

async function* examineRoom(folder: string): Findings {
  const check = "storage.room";
  const facts = await statfs(folder).catch(() => null);
  if (facts === null) return;
  const free = facts.bavail * facts.bsize;
  const message = `${Math.floor(free / MIB)} MiB are free on the disk of "${folder}"`;
  if (free < NO_ROOM_BYTES) yield fail(check, `Only ${message}`, "make room, or set storage.path elsewhere");
  else if (free < LITTLE_ROOM_BYTES) yield warn(check, `Only ${message}`, "make room before it is full");
  else yield ok(check, message);
}

async function* examineFile(file: string, name: string, presence: Presence): Findings {
  const check = "storage.file";
  try {
    const facts = await stat(file);
    if (!facts.isFile()) {
      return yield fail(check, `"${file}" is not a file`, "set storage.path to a file");
    }
    await access(file, constants.R_OK | constants.W_OK);
    if (facts.mode & 0o044) {
      yield warn(
        "storage.rights",
        `Others on this machine may read "${file}"`,
        `keep what it holds to yourself: chmod 600 "${file}"`,
      );
    }
    if (facts.size > 0 && !isSqlite(file)) {
      return yield fail(
        check,
        `"${file}" is not a SQLite database`,
        "move it away, or set storage.path to another file",
      );
    }
    if (presence.health !== null) {
      return yield ok(check, `"${file}" is in use by ${name}, which has checked it when it started`);
    }
    if (await isHeld(`${file}-lock`)) {
      return yield warn(
        check,
        `"${file}" is in use by a process that does not answer on the ports of ${name}`,
        `end that process before ${name} is started here, or set storage.path to another file`,
      );
    }
    yield await examineCopy(file, facts.size);
  } catch (error) {
    if (isMissing(error)) return yield ok(check, `"${file}" will be made at the first start`);
    const [reason, advice] = fileFault(error).split("; ");
    yield fail(check, `Cannot use the database "${file}": ${reason}`, advice ?? ADVICE);
  }
}

/** Whether a process has the lock beside the database. It is tried, not written to. */
async function isHeld(lockFile: string): Promise<boolean> {
  if (await stat(lockFile).then(() => false, () => true)) return false;
  const lock = (await sqliteEngine())(lockFile);
  try {
    lock.exec("BEGIN EXCLUSIVE; ROLLBACK");
    return false;
  } catch (error) {
    return /locked|busy/i.test(String((error as Error).message));
  } finally {
    lock.close();
  }
}

async function examineCopy(file: string, size: number): Promise<Finding> {
  const check = "storage.file";
  if (size > FULL_CHECK_BYTES) {
    return ok(
      check,
      `"${file}" is a database of ${Math.round(size / MIB)} MiB, too large to be read whole here`,
    );
  }
  const folder = await mkdtemp(join(tmpdir(), "mcp-realtime-doctor-"));
  try {
    const copy = join(folder, basename(file));
    await copyFile(file, copy);
    await copyFile(`${file}-wal`, `${copy}-wal`).catch((error) => {
      if (!isMissing(error)) throw error;
    });
    const fault = faultIn(await sqliteEngine(), copy);
    if (fault === null) return ok(check, `"${file}" can be opened and is whole`);
    return fail(
      check,
      `"${file}" is damaged: ${fault}`,
      "restore it from a backup, or move it away to start with an empty one",
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function faultIn(engine: OpenEngine, path: string): string | null {
  try {
    const database = engine(path);
    try {
      return damageOf(database)?.replaceAll(/\s+/g, " ") ?? null;
    } finally {
      database.close();
    }
  } catch (error) {
    return (error as Error).message;
  }
}
