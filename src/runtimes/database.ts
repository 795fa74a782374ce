/**
 * Opening a SQLite database so that what can be known to be wrong with it is known at once. See `Runtime.openDatabase`.
 *
 * @module
 */
import { closeSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { type Database, DatabaseError } from "../ports/database.ts";
import { fileFault, isMissing } from "./file-fault.ts";
import { makeFolders } from "./make-folders.ts";
import { type OpenEngine, sqliteEngine } from "./sqlite-driver.ts";
import { claim, damageOf, FULL_CHECK_BYTES, isClaimed, isForeign, isSqlite } from "./sqlite-file.ts";

const MEMORY = ":memory:";
const WAIT = "PRAGMA busy_timeout = 2000";
const FOREIGN = "tables of another program";

/**
 * WAL with `synchronous = NORMAL`: a commit survives `kill -9` of the process; a power loss may take the last commits
 * with it but never damages the file. A writer from outside is waited for, 2 seconds at most. A commit writes some pages
 * whole, mostly of small rows, so a new file gets small ones; one that is there keeps those that it has. The log is taken
 * over into the file every 8,000 pages (16 MiB): each time the disk is waited for.
 */
const SETTINGS = `
  PRAGMA page_size = 2048;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA wal_autocheckpoint = 8000;
  PRAGMA foreign_keys = ON;
`;

/**
 * Open a database file, and make it and its folder where they do not exist. One process at a time: beside the file
 * lies `<path>-lock`, an empty database whose lock the operating system lifts when the process ends, however it does.
 */
export async function openDatabase(path: string): Promise<Database> {
  const open = await engine(path);
  if (path === MEMORY) {
    const database = open(MEMORY);
    database.exec("PRAGMA foreign_keys = ON");
    return database;
  }
  const size = prepareFile(path);
  // Before anything is laid beside a file of somebody else's.
  if (size > 0 && !isSqlite(path)) throw fault(path, new Error("file is not a database"));
  if (size > 0 && !isClaimed(path)) refuseForeign(open, path);
  makePrivate(`${path}-lock`);
  const lock = hold(open, path);
  let database: Database | undefined;
  try {
    makePrivate(path);
    database = open(path);
    database.exec(WAIT);
    database.exec(SETTINGS);
    checkDamage(database, size);
    claim(database);
    // A file that may only be read lets all the above pass.
    database.exec("BEGIN IMMEDIATE; ROLLBACK");
  } catch (error) {
    closeQuietly(database);
    lock.close();
    throw fault(path, error);
  }
  return withLock(database, lock);
}

async function engine(path: string): Promise<OpenEngine> {
  try {
    return await sqliteEngine();
  } catch (cause) {
    throw new DatabaseError(
      `Cannot open the database "${path}": this runtime has no SQLite; install the package libsql or use Node 22.13 or later`,
      { cause },
    );
  }
}

/** Make the folder; refuse what is no file. Returns the file's size in bytes, 0 where there is none yet. */
function prepareFile(path: string): number {
  try {
    makeFolders(dirname(path));
  } catch (cause) {
    throw new DatabaseError(`Cannot make the folder of the database "${path}": ${fileFault(cause)}`, {
      cause,
    });
  }
  try {
    const found = statSync(path);
    if (!found.isFile()) {
      throw new DatabaseError(`Cannot open the database "${path}": it is not a file; name a file`);
    }
    return found.size;
  } catch (cause) {
    if (cause instanceof DatabaseError) throw cause;
    if (isMissing(cause)) return 0;
    throw new DatabaseError(`Cannot open the database "${path}": ${fileFault(cause)}`, { cause });
  }
}

/**
 * Make an empty file that nobody else may read, where there is none. SQLite would make it readable by every user of the
 * machine; its log and its index get the rights of the file that they belong to.
 */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch {
    // It is there, and keeps the rights that its owner gave it; or it cannot be made, which its opening tells.
  }
}

/** @throws {DatabaseError} */
function refuseForeign(open: OpenEngine, path: string): void {
  let database: Database | undefined;
  try {
    database = open(path);
    database.exec(WAIT);
    if (isForeign(database)) throw new Error(FOREIGN);
  } catch (error) {
    throw fault(path, error);
  } finally {
    closeQuietly(database);
  }
}

function hold(open: OpenEngine, path: string): Database {
  let lock: Database | undefined;
  try {
    lock = open(`${path}-lock`);
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    closeQuietly(lock);
    throw fault(path, error);
  }
}

function checkDamage(database: Database, size: number): void {
  if (size > FULL_CHECK_BYTES) {
    // No more than the schema is read.
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
    return;
  }
  const damage = damageOf(database);
  if (damage !== null) throw new Error(`database disk image is malformed: ${damage}`);
}

function withLock(database: Database, lock: Database): Database {
  let open = true;
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => database.prepare(sql),
    close() {
      if (!open) return;
      open = false;
      try {
        // `libsql` leaves the log behind as long as a statement is not collected.
        database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      } catch {
        // Somebody reads it, or a transaction is open: the log stays, and the next opening takes it in.
      }
      try {
        database.close();
      } finally {
        lock.close();
      }
    },
  };
}

/** By words, since each engine has its own codes. */
const FAULTS: readonly { matches: RegExp; sentence: string }[] = [
  {
    matches: /locked|busy/i,
    sentence:
      "another process uses it, perhaps a server that runs already; stop it or name another file (storage.path, --storage)",
  },
  {
    matches: /not a database/i,
    sentence: "the file is not a SQLite database; move it away or name another file",
  },
  {
    matches: new RegExp(FOREIGN),
    sentence: `it holds ${FOREIGN}; name another file (storage.path, --storage)`,
  },
  {
    matches: /malformed|corrupt|disk image/i,
    sentence: "the file is damaged; restore it from a backup, or move it away to start with an empty one",
  },
  {
    matches: /readonly|read-only|NotCapable|permission/i,
    sentence: "this process may not write to it; change its owner or its mode, or name another file",
  },
  {
    matches: /unable to open/i,
    sentence:
      "the file or its folder cannot be opened for writing; check owner and mode, or name another file",
  },
  { matches: /full/i, sentence: "the disk is full; make room or name another file" },
];

function fault(path: string, cause: unknown): DatabaseError {
  const { name = "", code = "", message = String(cause) } = (cause ?? {}) as Record<string, string>;
  const text = `${name} ${code} ${message}`;
  const known = FAULTS.find(({ matches }) => matches.test(text));
  return new DatabaseError(`Cannot open the database "${path}": ${known?.sentence ?? message}`, { cause });
}

function closeQuietly(database: Database | undefined): void {
  try {
    database?.close();
  } catch {
    // What made the opening fail is told already.
  }
}
