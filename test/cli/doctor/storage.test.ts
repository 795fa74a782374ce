/** What `doctor` finds of databases, in folders in which something is wrong with one. */
import { chmod, mkdir, open, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openDatabase } from "../../../src/runtimes/database.ts";
import { sqliteEngine } from "../../../src/runtimes/sqlite-driver.ts";
import { migrate } from "../../../src/storage/migrations.ts";
import { useBuiltScratch } from "../../support/built-scratch.ts";
import { runCommand } from "../../support/command-process.ts";
import { examined, folderIn } from "./examined.ts";

const PATIENCE_MS = 120_000;

const scratch = useBuiltScratch();
const folderWith = (settings: Record<string, unknown>, service?: string) =>
  folderIn(scratch.folder, settings, service);

describe("doctor, of what is kept", { timeout: PATIENCE_MS }, () => {
  async function folderWithDatabase(): Promise<{ folder: string; file: string }> {
    const folder = await folderWith({});
    const file = join(folder, "data/akosha.db");
    const database = await openDatabase(file);
    database.exec(
      "CREATE TABLE a (b); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) " +
        "INSERT INTO a SELECT hex(randomblob(50)) FROM n; CREATE INDEX c ON a (b)",
    );
    database.close();
    return { folder, file };
  }

  test("finds a database that is damaged, and one that is none", async () => {
    const { folder, file } = await folderWithDatabase();
    const handle = await open(file, "r+");
    const { size } = await handle.stat();
    await handle.write(Buffer.alloc(size >> 1, 0x5a), 0, size >> 1, size >> 2);
    await handle.close();
    expect((await examined(folder)).of("storage.file")).toMatch(
      /^fail: .*akosha\.db" is damaged: .* → restore it from a backup, or move it away/,
    );
    await truncate(file, 0);
    await writeFile(file, "a letter to my grandmother");
    expect((await examined(folder)).of("storage.file")).toMatch(
      /^fail: .*akosha\.db" is not a SQLite database → move it away/,
    );
    await rm(file);
    await mkdir(file);
    expect((await examined(folder)).of("storage.file")).toMatch(/^fail: .*" is not a file → /);
  });

  test("finds a database that another process has, and one that others may read", async () => {
    const { folder, file } = await folderWithDatabase();
    // Each of the two rights is one too many.
    for (const mode of [0o604, 0o640]) {
      await chmod(file, mode);
      const { of } = await examined(folder);
      expect(of("storage.rights")).toMatch(/^warn: Others on this machine may read .* → .*chmod 600/);
    }
    const database = await openDatabase(file);
    try {
      const { of } = await examined(folder);
      expect(of("storage.file")).toMatch(
        /^fail: .* is in use by a service that does not answer on the ports of akosha → /,
      );
      // Starting it would fail.
      expect(of("server.reachable")).toMatch(/^warn: akosha does not run on its ports → see to its database/);
    } finally {
      database.close();
    }
  });

  test.runIf(process.platform === "linux").each(["wal", "delete"])(
    "finds who has locked a database (%s)",
    async (mode) => {
      const folder = await folderWith({});
      const file = join(folder, "data/akosha.db");
      await mkdir(join(folder, "data"));
      const database = (await sqliteEngine())(file);
      database.exec(`PRAGMA journal_mode = ${mode}; BEGIN EXCLUSIVE`);
      try {
        const { of } = await examined(folder);
        expect(of("storage.file")).toMatch(
          new RegExp(
            `^fail: .* is locked by another program, .* \\(process ${process.pid}\\) → let it finish`,
          ),
        );
      } finally {
        database.close();
      }
    },
  );

  test("finds a database of a newer version, and one of another program", async () => {
    const { folder, file } = await folderWithDatabase();
    const database = await openDatabase(file);
    migrate(database, "akosha", Array.from({ length: 99 }, () => "SELECT 1"));
    database.close();
    const { of } = await examined(folder);
    expect(of("storage.file")).toMatch(
      /^fail: .* has version 99 of the tables of 'akosha', this program knows \d+ → start the newer program/,
    );
    const started = await runCommand(["serve", "akosha"], { folder });
    expect([started.code, started.stderr]).toEqual([
      1,
      expect.stringContaining(`Cannot use the database "${file}"`),
    ]);
    const other = await folderWith({});
    await mkdir(join(other, "data"));
    const foreign = (await sqliteEngine())(join(other, "data/akosha.db"));
    foreign.exec("CREATE TABLE letters (text)");
    foreign.close();
    expect((await examined(other)).of("storage.file")).toMatch(
      /^fail: .* holds tables of another program → /,
    );
    const refused = await runCommand(["serve", "akosha"], { folder: other });
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining("holds tables of another program;"),
    ]);
  });

  test("says so where it can make no copy to look at", async () => {
    const { folder, file } = await folderWithDatabase();
    const { of } = await examined(folder, { environment: { TMPDIR: join(folder, "nowhere") } });
    expect(of("storage.file")).toBe(
      `warn: "${file}" was not looked into, as no copy of it can be read in "${
        join(folder, "nowhere")
      }": there is ` +
        "no such folder → set TMPDIR to a folder with room for it",
    );
  });

  test("finds a folder that cannot be written to", async () => {
    const folder = await folderWith({});
    await writeFile(join(folder, "data"), "");
    expect((await examined(folder)).of("storage.folder")).toMatch(/^fail: "\S+data" is no folder → /);
    await rm(join(folder, "data"));
    await symlink("/proc/self", join(folder, "data"));
    const { of } = await examined(folder, { words: ["akosha"] });
    expect(of("storage.folder")).toMatch(process.platform === "linux" ? /^(fail: Cannot write|ok: )/ : /./);
  });
});
