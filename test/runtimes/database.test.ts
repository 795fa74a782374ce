import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Database, DatabaseError } from "../../src/ports/database.ts";
import { openDatabase } from "../../src/runtimes/database.ts";
import { sqliteEngine } from "../../src/runtimes/sqlite-driver.ts";
import { hasRuntime, type Program, startProgram } from "../support/start-program.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "database-"));
});
afterAll(() => rm(folder, { recursive: true }));

const at = (...parts: string[]) => join(folder, ...parts);

async function fault(path: string): Promise<string> {
  try {
    (await openDatabase(path)).close();
    return "opened";
  } catch (error) {
    expect(error).toBeInstanceOf(DatabaseError);
    return (error as Error).message;
  }
}

describe("openDatabase", () => {
  it("makes the file and the folders above it", async () => {
    const path = at("new", "folders", "a.db");
    const database = await openDatabase(path);
    database.exec("CREATE TABLE t (a)");
    database.close();
    expect((await readFile(path)).subarray(0, 15).toString()).toBe("SQLite format 3");
  });

  it.runIf(process.platform !== "win32")("makes files that nobody else may read", async () => {
    const database = await openDatabase(at("private", "a.db"));
    database.exec("CREATE TABLE t (a); BEGIN; INSERT INTO t VALUES (1)");
    const files = ["a.db", "a.db-lock", "a.db-shm", "a.db-wal"];
    expect(await readdir(at("private"))).toEqual(expect.arrayContaining(files));
    for (const name of await readdir(at("private"))) {
      expect((await stat(at("private", name))).mode & 0o777, name).toBe(0o600);
    }
    database.exec("ROLLBACK");
    database.close();
  });

  it.runIf(process.platform !== "win32")("leaves a file the rights that its owner gave it", async () => {
    (await openDatabase(at("shown.db"))).close();
    await chmod(at("shown.db"), 0o640);
    (await openDatabase(at("shown.db"))).close();
    expect((await stat(at("shown.db"))).mode & 0o777).toBe(0o640);
  });

  it("keeps what was written when it is opened again", async () => {
    const first = await openDatabase(at("again.db"));
    first.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)");
    first.close();
    const second = await openDatabase(at("again.db"));
    expect(second.prepare("SELECT a FROM t").all()).toEqual([{ a: 1 }, { a: 2 }]);
    second.close();
  });

  it("sets what the settings promise", async () => {
    const database = await openDatabase(at("settings.db"));
    const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    expect(["journal_mode", "synchronous", "foreign_keys", "busy_timeout"].map(pragma)).toEqual([
      "wal",
      1,
      1,
      2000,
    ]);
    database.close();
  });

  it("refuses a file that another one has open, until that is closed", async () => {
    const first = await openDatabase(at("shared.db"));
    expect(await fault(at("shared.db"))).toBe(
      `Cannot open the database "${
        at("shared.db")
      }": another process uses it, perhaps a server that runs already; stop it or name another file (storage.path, --storage)`,
    );
    first.exec("CREATE TABLE still_works (a)");
    first.close();
    expect(await fault(at("shared.db"))).toBe("opened");
  });

  it.runIf(process.platform === "linux")("gives up where no folder can be made", async () => {
    // Node's own recursive mkdir never comes back from there.
    expect(await fault("/proc/no-such-folder/a.db")).toMatch(/^Cannot make the folder of the database /);
  });

  it("names a folder, a file in the way, and what is no database", async () => {
    await mkdir(at("folder.db"));
    expect(await fault(at("folder.db"))).toBe(
      `Cannot open the database "${at("folder.db")}": it is not a file; name a file`,
    );

    await writeFile(at("file"), "x");
    expect(await fault(at("file", "below.db"))).toMatch(
      /^Cannot make the folder of the database ".*": a file of this name/,
    );
    expect(await fault(at("file", "far", "below.db"))).toMatch(
      /: a part of the path is a file, not a folder/,
    );

    await writeFile(at("text.db"), "This is text and not a database. ".repeat(50));
    expect(await fault(at("text.db"))).toMatch(
      /: the file is not a SQLite database; move it away or name another file$/,
    );
    expect(await readFile(at("text.db"), "utf8")).toContain("This is text");

    await symlink(at("circle.db"), at("circle.db"));
    expect(await fault(at("circle.db"))).toMatch(/: the path goes through a circle of links/);
  });

  it("refuses the tables of another program, and leaves them as they are", async () => {
    const path = at("foreign.db");
    const engine = await sqliteEngine();
    const make = (sql: string) => {
      const database = engine(path);
      database.exec(sql);
      database.close();
    };
    make("CREATE TABLE migrations (id, name)");
    const before = await readFile(path);
    expect(await fault(path)).toBe(
      `Cannot open the database "${path}": it holds tables of another program; name another file (storage.path, --storage)`,
    );
    expect((await readFile(path)).equals(before)).toBe(true);
    expect(await readdir(folder)).not.toContain("foreign.db-lock");
    // As those that were made before files were marked.
    make("DROP TABLE migrations; CREATE TABLE migrations (owner, steps); CREATE TABLE events (seq)");
    expect(await fault(path)).toBe("opened");
    make("PRAGMA application_id = 7");
    expect(await fault(path)).toMatch(/: it holds tables of another program;/);
  });

  it("names a damaged file, and leaves it as it is", async () => {
    const path = at("damaged.db");
    const database = await openDatabase(path);
    database.exec("CREATE TABLE t (a TEXT); CREATE INDEX i ON t (a)");
    const insert = database.prepare("INSERT INTO t VALUES (?)");
    for (let i = 0; i < 500; i++) insert.run(`row ${i} `.repeat(20));
    database.close();
    const bytes = await readFile(path);
    bytes.fill(0xff, 4_096, 4_096 * 6);
    await writeFile(path, bytes);
    expect(await fault(path)).toBe(
      `Cannot open the database "${path}": the file is damaged; restore it from a backup, or move it away to start with an empty one`,
    );
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  it("names a file that is cut off", async () => {
    const path = at("cut.db");
    const database = await openDatabase(path);
    database.exec("CREATE TABLE t (a TEXT)");
    for (let i = 0; i < 100; i++) database.prepare("INSERT INTO t VALUES (?)").run("x".repeat(1_000));
    database.close();
    await writeFile(path, (await readFile(path)).subarray(0, 10_000));
    expect(await fault(path)).toMatch(/: the file is damaged;/);
  });

  it("is free again after each refusal", async () => {
    await writeFile(at("late.db"), "not yet a database, only text ".repeat(50));
    await fault(at("late.db"));
    await rm(at("late.db"));
    expect(await fault(at("late.db"))).toBe("opened");
  });

  it("in memory gives each its own, and writes no file", async () => {
    const [one, two] = [await openDatabase(":memory:"), await openDatabase(":memory:")];
    one.exec("CREATE TABLE t (a)");
    expect(() => two.prepare("SELECT * FROM t").all()).toThrow("no such table");
    one.close();
    two.close();
  });
});

describe("Database", () => {
  let database: Database;
  beforeAll(async () => {
    database = await openDatabase(":memory:");
    database.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, a); CREATE TABLE child (t REFERENCES t (id))");
  });
  afterAll(() => database.close());

  it("gives back every kind of value", () => {
    const values = [1, -2.5, "grüße 🙂", null, new Uint8Array([0, 1, 255])];
    const insert = database.prepare("INSERT INTO t (a) VALUES (?)");
    for (const value of values) expect(insert.run(value)).toBe(1);
    insert.run(2n ** 40n);
    const rows = database.prepare("SELECT a FROM t ORDER BY id").all<{ a: unknown }>().map(({ a }) => a);
    expect(rows.slice(0, 4)).toEqual([1, -2.5, "grüße 🙂", null]);
    expect(rows[4]).toBeInstanceOf(Uint8Array);
    expect([...rows[4] as Uint8Array]).toEqual([0, 1, 255]);
    expect(rows[5]).toBe(2 ** 40);
    const blob = database.prepare("SELECT a FROM t WHERE typeof(a) = 'blob'").get<{ a: Uint8Array }>();
    expect([...blob?.a ?? []]).toEqual([0, 1, 255]);
  });

  it("get gives the columns and nothing else, or undefined", () => {
    expect({ ...database.prepare("SELECT 1 AS one, 'x' AS two").get() }).toEqual({ one: 1, two: "x" });
    expect(database.prepare("SELECT 1 WHERE 0").get()).toBeUndefined();
  });

  it("run tells how many rows changed", () => {
    database.exec("CREATE TABLE n (a); INSERT INTO n VALUES (1), (2), (3)");
    expect(database.prepare("UPDATE n SET a = a + ? WHERE a > ?").run(1, 1)).toBe(2);
    expect(database.prepare("DELETE FROM n WHERE a > 99").run()).toBe(0);
  });

  it("a prepared statement can be used again, also after get has left rows unread", () => {
    const first = database.prepare("SELECT a FROM n ORDER BY a");
    expect(first.get<{ a: number }>()?.a).toBe(1);
    database.exec("BEGIN; DELETE FROM n; COMMIT");
    expect(first.get()).toBeUndefined();
    database.exec("DROP TABLE n");
  });

  it("a transaction that is rolled back leaves nothing", () => {
    database.exec(
      "CREATE TABLE r (a UNIQUE); INSERT INTO r VALUES (1); BEGIN IMMEDIATE; INSERT INTO r VALUES (2)",
    );
    expect(() => database.prepare("INSERT INTO r VALUES (1)").run()).toThrow("UNIQUE constraint failed");
    database.exec("ROLLBACK");
    expect(database.prepare("SELECT a FROM r").all()).toEqual([{ a: 1 }]);
  });

  it("holds foreign keys", () => {
    expect(() => database.prepare("INSERT INTO child VALUES (?)").run(99_999)).toThrow(
      "FOREIGN KEY constraint failed",
    );
  });
});

describe.each(["node", "deno", "bun"] as const)("a database on %s", (runtime) => {
  const programs: Program<unknown>[] = [];
  // Also those of a test that has failed half-way.
  afterEach(async () => {
    await Promise.all(programs.splice(0).map((program) => program.stop("SIGKILL")));
  });

  it.runIf(hasRuntime(runtime) && process.platform !== "win32")("is one that nobody else may read", {
    timeout: 40_000,
  }, async () => {
    const path = join(folder, `${runtime}-private`, "a.db");
    const source = new URL("./database-program.ts", import.meta.url).pathname;
    programs.push(await startProgram(runtime, source, { args: [path] }));
    expect(await readdir(dirname(path))).toContain("a.db-wal");
    for (const name of await readdir(dirname(path))) {
      expect((await stat(join(dirname(path), name))).mode & 0o777, name).toBe(0o600);
    }
  });

  it.runIf(hasRuntime(runtime))("keeps its commits through kill -9, and its lock ends with the process", {
    timeout: 40_000,
  }, async () => {
    const path = at(`killed-${runtime}.db`);
    await writeFile(at("garbage.db"), "garbage ".repeat(200));
    const start = async () => {
      const program = await startProgram<{ rows: number; row: object; faults: string[] }>(
        runtime,
        new URL("./database-program.ts", import.meta.url).pathname,
        { args: [path, at("garbage.db"), folder] },
      );
      programs.push(program);
      return program;
    };
    const first = await start();
    expect(first.ready.rows).toBe(1);
    expect(first.ready.row).toEqual({ id: 1, blob: [1, 2, 3], big: 2 ** 40 });
    expect(first.ready.faults).toEqual([
      `Cannot open the database "${path}": another process uses it, perhaps a server that runs already; stop it or name another file (storage.path, --storage)`,
      `Cannot open the database "${
        at("garbage.db")
      }": the file is not a SQLite database; move it away or name another file`,
      `Cannot open the database "${folder}": it is not a file; name a file`,
    ]);
    expect(await fault(path)).toMatch(/: another process uses it,/);
    await first.stop("SIGKILL");
    const second = await start();
    expect(second.ready.rows).toBe(2);
    await second.stop("SIGKILL");
    expect(await fault(path)).toBe("opened");
  });
});
