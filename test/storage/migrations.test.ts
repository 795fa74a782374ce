import { expect, it } from "vitest";
import { DatabaseError } from "../../src/ports/database.ts";
import { migrate } from "../../src/storage/migrations.ts";
import { newDatabase } from "./database-file.ts";

const one = "CREATE TABLE a (x); CREATE INDEX a_x ON a (x);";
const two = "ALTER TABLE a ADD COLUMN y; INSERT INTO a VALUES (1, 2)";

it("migrate() takes each step once, in order", async () => {
  const database = await newDatabase();
  migrate(database, "things", [one]);
  migrate(database, "things", [one, two]);
  migrate(database, "things", [one, two]);
  expect(database.prepare("SELECT * FROM a").all()).toEqual([{ x: 1, y: 2 }]);
});

it("migrate() keeps owners apart", async () => {
  const database = await newDatabase();
  migrate(database, "things", [one]);
  migrate(database, "others", ["CREATE TABLE b (x)"]);
  expect(database.prepare("SELECT owner, steps FROM migrations ORDER BY owner").all()).toEqual([
    { owner: "others", steps: 1 },
    { owner: "things", steps: 1 },
  ]);
});

it("migrate() undoes a step that fails, keeps those before it, and says which tables it was about", async () => {
  const database = await newDatabase();
  const broken = "INSERT INTO a VALUES (1); INSERT INTO nowhere VALUES (1)";
  expect(() => migrate(database, "things", [one, broken])).toThrow(DatabaseError);
  expect(() => migrate(database, "things", [one, broken])).toThrow(
    /^Cannot bring the tables of 'things' up to date: .*nowhere/,
  );
  expect(database.prepare("SELECT * FROM a").all()).toEqual([]);
  migrate(database, "things", [one, two]);
  expect(database.prepare("SELECT * FROM a").all()).toEqual([{ x: 1, y: 2 }]);
});

it("migrate() refuses a database of a newer version and leaves it alone", async () => {
  const database = await newDatabase();
  migrate(database, "things", [one, two]);
  expect(() => migrate(database, "things", [one])).toThrow(DatabaseError);
  expect(() => migrate(database, "things", [one])).toThrow(
    "Cannot use the tables of 'things': the database has version 2 of them, this program knows 1: " +
      "start the newer program that wrote it, or use another file",
  );
  migrate(database, "things", [one, two]);
});
