import { expect, it } from "vitest";
import { DatabaseError } from "../../src/ports/database.ts";
import { migrate, newerTables } from "../../src/storage/migrations.ts";
import { newDatabase, newDatabasePath } from "./database-file.ts";

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
  const path = newDatabasePath();
  const database = await newDatabase(path);
  const known = { owner: "things", steps: [one] };
  expect(newerTables(database, [known])).toBeNull();
  migrate(database, "things", [one, two]);
  expect(newerTables(database, [{ owner: "others", steps: [] }])).toBeNull();
  expect(newerTables(database, [known])).toEqual({ owner: "things", version: 2, known: 1 });
  expect(() => migrate(database, "things", [one])).toThrow(DatabaseError);
  expect(() => migrate(database, "things", [one])).toThrow(
    `Cannot use the database "${path}": it has version 2 of the tables of 'things', this program knows 1; ` +
      "start the newer program that wrote it, or use another file",
  );
  migrate(database, "things", [one, two]);
});
