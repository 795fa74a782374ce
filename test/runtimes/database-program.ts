/**
 * A program for `database.test.ts`: adds a row to the database of its first argument, tries to open that one again and
 * the paths that follow, writes what came of it, and stays with an unfinished transaction.
 *
 * @module
 */
import { detectRuntime } from "../../src/runtimes/detect.ts";

const [path = "", ...others] = process.argv.slice(2);
const { openDatabase } = await detectRuntime();

const database = await openDatabase(path);
database.exec("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, blob BLOB, big INTEGER)");
database.prepare("INSERT INTO t (blob, big) VALUES (?, ?)").run(new Uint8Array([1, 2, 3]), 2n ** 40n);
const row = database.prepare("SELECT * FROM t").get<{ id: number; blob: Uint8Array; big: number }>();
const count = database.prepare("SELECT count(*) AS n FROM t").get<{ n: number }>();

const faults: string[] = [];
for (const other of [path, ...others]) {
  await openDatabase(other).catch((error: Error) => faults.push(error.message));
}
console.log(JSON.stringify({ rows: count?.n, row: row && { ...row, blob: [...row.blob] }, faults }));

database.exec("BEGIN; INSERT INTO t (big) VALUES (7)");
setInterval(() => {}, 60_000);
