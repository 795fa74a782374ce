import { expect, test } from "vitest";
import { databaseBytes } from "../../src/storage/database-size.ts";
import { newDatabase } from "./database-file.ts";

test("databaseBytes grows with what is written, by whole pages", async () => {
  const database = await newDatabase();
  database.exec("CREATE TABLE texts (text TEXT)");
  const before = databaseBytes(database);
  const { page_size: page } = database.prepare("PRAGMA page_size").get<{ page_size: number }>()!;
  expect(before % page).toBe(0);
  database.prepare("INSERT INTO texts VALUES (?)").run("x".repeat(100_000));
  // Some pages were free, and some hold no text.
  expect(Math.abs(databaseBytes(database) - before - 100_000)).toBeLessThan(10 * page);
});
