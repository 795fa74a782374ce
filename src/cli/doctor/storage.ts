/**
 * The database of a service: its folder, its rights, the room on the disk, and who has it. What is in it, see
 * `database-copy.ts`.
 *
 * @module
 */
import { constants } from "node:fs";
import { access, stat, statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Clock } from "../../ports/clock.ts";
import { fileFault, isMissing } from "../../runtimes/file-fault.ts";
import { sqliteEngine } from "../../runtimes/sqlite-driver.ts";
import { isSqlite } from "../../runtimes/sqlite-file.ts";
import { databaseFile } from "../../settings/database-file.ts";
import { pause } from "../pause.ts";
import { plainText } from "../terminal/plain-text.ts";
import { examineCopy } from "./database-copy.ts";
import { fail, type Finding, type Findings, ok, warn } from "./finding.ts";
import { lockHolder } from "./lock-holder.ts";
import type { Presence, Subject } from "./subject.ts";

const MIB = 1_048_576;
/** Less room than this keeps a service from writing before long. */
const LITTLE_ROOM_BYTES = 1_024 * MIB;
const NO_ROOM_BYTES = 64 * MIB;

const MISSING = -1;

const ADVICE = "change the owner or the mode, or set storage.path to another file";

/** A service that starts waits as long for who writes just now, in milliseconds. */
const WRITER_MS = 2_000;
const LOOK_MS = 100;

/** @param presence Is told whether the database is another process's. */
export async function* examineStorage(subject: Subject, presence: Presence): Findings {
  const { settings } = subject;
  const path = databaseFile(settings);
  if (path === null) {
    return yield ok(
      "storage.file",
      `Nothing is kept beyond the process: storage.path is "${settings.storage.path}"`,
    );
  }
  const file = resolve(path);
  const folder = yield* examineFolder(dirname(file));
  if (folder !== null) yield* examineRoom(folder);
  const size = yield* examineFile(file);
  if (size === null) return;
  if (!(yield* isToBeRead(file, subject, presence))) return;
  if (size === MISSING) yield ok("storage.file", `"${file}" will be made at the first start`);
  else yield* examineCopy(file, size, subject.service);
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

/** @returns its size in bytes, `MISSING` where there is none yet; null where it can be of no use */
async function* examineFile(file: string): AsyncGenerator<Finding, number | null, undefined> {
  const check = "storage.file";
  try {
    const facts = await stat(file);
    if (!facts.isFile()) {
      yield fail(check, `"${file}" is not a file`, "set storage.path to a file");
      return null;
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
      yield fail(
        check,
        `"${file}" is not a SQLite database`,
        "move it away, or set storage.path to another file",
      );
      return null;
    }
    return facts.size;
  } catch (error) {
    if (isMissing(error)) return MISSING;
    const [reason, advice] = fileFault(error).split("; ");
    yield fail(check, `Cannot use the database "${file}": ${reason}`, advice ?? ADVICE);
    return null;
  }
}

/** @returns whether nobody has it, so that what is in it can be looked at */
async function* isToBeRead(
  file: string,
  { name, clock }: Subject,
  presence: Presence,
): AsyncGenerator<Finding, boolean, undefined> {
  const check = "storage.file";
  const isServed = await isHeld(`${file}-lock`);
  if (presence.health !== null && isServed) {
    yield ok(check, `"${file}" is in use by ${name}, which has checked it when it started`);
    return false;
  }
  if (presence.health !== null) {
    yield warn(
      "storage.path",
      `${name} runs, and does not use "${file}": it was started with other settings, or in another folder`,
      "look for its own where it was started (relative paths count from there)",
    );
  }
  presence.isDatabaseTaken = isServed;
  if (isServed) {
    yield fail(
      check,
      `"${file}" is in use by a service that does not answer on the ports of ${name}`,
      `end that process before ${name} is started here, or set storage.path to another file`,
    );
    return false;
  }
  const holder = await lastingHolder(file, clock);
  if (holder === null) return true;
  presence.isDatabaseTaken = true;
  yield fail(
    check,
    `"${file}" is locked by another program, ${plainText(holder)}`,
    "let it finish or end it, or set storage.path to another file",
  );
  return false;
}

/** Who has it locked for longer than a service would wait. */
async function lastingHolder(file: string, clock: Clock): Promise<string | null> {
  const until = clock.monotonic() + WRITER_MS;
  for (;;) {
    const holder = await lockHolder(file);
    if (holder === null || clock.monotonic() >= until) return holder;
    await pause(clock, LOOK_MS);
  }
}

/** Whether a service has the lock beside its database. It is tried, not written to. */
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
