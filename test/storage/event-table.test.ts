import { existsSync, statSync } from "node:fs";
import { expect, it } from "vitest";
import type { Database } from "../../src/ports/database.ts";
import { openDatabase } from "../../src/runtimes/database.ts";
import { EventTable } from "../../src/storage/event-table.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { newDatabase, newDatabasePath } from "./database-file.ts";
import { describeJournal } from "./journal-model.ts";

describeJournal("EventTable", async (setup) => {
  const path = newDatabasePath();
  let database: Database = await openDatabase(path);
  let journal = new EventTable({ ...setup, database });
  return {
    journal,
    async restart(orderly) {
      if (orderly) journal.close();
      database.close();
      database = await openDatabase(path);
      journal = new EventTable({ ...setup, database });
      return journal;
    },
    end() {
      journal.close();
      database.close();
    },
  };
}, 60);

const draft = (channel: string, ephemeral = false) => ({
  id: "1",
  channel,
  event: "e",
  data: {},
  timestamp: "",
  ephemeral,
});

it("EventTable keeps its epoch over restarts and has another one in another database", async () => {
  const path = newDatabasePath();
  const clock = new FakeClock();
  const first = await openDatabase(path);
  const { epoch } = new EventTable({ database: first, clock }).head;
  first.close();
  expect(new EventTable({ database: await newDatabase(path), clock }).head.epoch).toBe(epoch);
  expect(new EventTable({ database: await newDatabase(), clock }).head.epoch).not.toBe(epoch);
});

it("EventTable closes also where its disk is full, and gives no number twice", async () => {
  const path = newDatabasePath();
  const clock = new FakeClock();
  const first = await openDatabase(path);
  const journal = new EventTable({ database: first, clock });
  const { seq } = journal.append([draft("a:1", true)])[0]!;
  first.exec(
    "CREATE TRIGGER full BEFORE UPDATE ON event_meta BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
  );
  journal.close();
  first.exec("DROP TRIGGER full");
  first.close();
  const second = new EventTable({ database: await newDatabase(path), clock });
  expect(second.append([draft("a:1")])[0]!.seq).toBeGreaterThan(seq);
});

it("EventTable writes nothing when it is opened again, and notes its numbers before the next event", async () => {
  const path = newDatabasePath();
  const clock = new FakeClock();
  const first = await openDatabase(path);
  const { seq } = new EventTable({ database: first, clock }).append([draft("a:1")])[0]!;
  // As after `kill -9`: the rest of the block is not given back.
  first.close();

  const second = await openDatabase(path);
  const written = () =>
    second.prepare("SELECT reserved FROM event_meta").get<{ reserved: number }>()!.reserved;
  const before = written();
  const table = new EventTable({ database: second, clock });
  expect(existsSync(`${path}-wal`) ? statSync(`${path}-wal`).size : 0).toBe(0);
  expect(written()).toBe(before);
  const next = table.append([draft("a:1", true)])[0]!.seq;
  expect(next).toBeGreaterThan(seq);
  expect(written()).toBeGreaterThan(next);
  second.close();

  const third = await newDatabase(path);
  expect(new EventTable({ database: third, clock }).append([draft("a:1")])[0]!.seq).toBeGreaterThan(next);
});

it("EventTable undoes the state that was written beside events", async () => {
  const database = await newDatabase();
  const table = new EventTable({ database, clock: new FakeClock() });
  database.exec("CREATE TABLE state (value INTEGER)");
  expect(() =>
    table.transaction(() => {
      database.exec("INSERT INTO state VALUES (1)");
      table.append([draft("a:1")]);
      throw new Error("no");
    })
  ).toThrow("no");
  expect(database.prepare("SELECT * FROM state").all()).toEqual([]);
  expect(table.read({ kind: "a" }, 0, 10)).toEqual([]);
});

it("EventTable stands where it stood when the commit itself fails", async () => {
  const database = await newDatabase();
  database.exec(
    "CREATE TABLE parent (id INTEGER PRIMARY KEY);" +
      "CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)",
  );
  const table = new EventTable({ database, clock: new FakeClock() });
  table.append([draft("a:1")]);
  expect(() =>
    table.transaction(() => {
      table.append([draft("a:1"), draft("c:1", true)]);
      database.exec("INSERT INTO child VALUES (7)");
    })
  ).toThrow(/FOREIGN KEY/);
  expect(table.head.seq).toBe(1);
  expect(table.append([draft("a:1"), draft("c:1", true)])).toMatchObject([{ seq: 2, prev: 1 }, {
    seq: 3,
    prev: 0,
  }]);
});

it("EventTable does not write to the database for ephemeral events", async () => {
  const database = await newDatabase();
  const table = new EventTable({ database, clock: new FakeClock() });
  const changes = () => database.prepare("SELECT total_changes() AS n").get<{ n: number }>()!.n;
  table.append([draft("c:1", true)]);
  const before = changes();
  for (let i = 0; i < 1_000; i++) table.append([draft("c:1", true)]);
  expect(changes()).toBe(before);
  expect(table.head.seq).toBe(1_001);
});

it("EventTable gives no number twice when a process dies after ephemeral events", async () => {
  const path = newDatabasePath();
  const clock = new FakeClock();
  const first = await openDatabase(path);
  const table = new EventTable({ database: first, clock });
  for (let i = 0; i < 10_000; i++) table.append([draft("c:1", true)]);
  first.close();
  const again = new EventTable({ database: await newDatabase(path), clock });
  expect(again.append([draft("c:1", true)])[0]!.seq).toBeGreaterThan(10_000);
});

it("EventTable forgets the longest unused channels and then claims nothing about them, in a new process too", async () => {
  const path = newDatabasePath();
  const clock = new FakeClock();
  const first = await openDatabase(path);
  const table = new EventTable({ database: first, clock, maxChannels: 3 });
  for (const channel of ["a:1", "a:2", "a:3", "a:1", "a:4"]) table.append([draft(channel)]);
  table.close();
  first.close();
  const journal = new EventTable({ database: await newDatabase(path), clock, maxChannels: 3 });
  expect(journal.channels(10).map(({ channel }) => channel)).toEqual(["a:4", "a:1", "a:3"]);
  expect(journal.evicted({ channel: "a:2" })).toBe(2);
  expect(journal.evicted({ kind: "a" })).toBe(2);
  expect(journal.evicted({ channel: "a:1" })).toBe(0);
  expect(journal.append([draft("a:2")])).toMatchObject([{ seq: 6, prev: 0 }]);
});

it("EventTable applies bounds that were made narrower at the next start", async () => {
  const path = newDatabasePath();
  const clock = new FakeClock();
  const first = await openDatabase(path);
  const table = new EventTable({ database: first, clock });
  for (let i = 0; i < 10; i++) table.append([draft("a:1")]);
  table.close();
  first.close();
  const retentionOf = () => ({ events: 2, ageMs: 1_000, bytes: 10_000 });
  const again = new EventTable({ database: await newDatabase(path), clock, retentionOf });
  expect(again.read({ channel: "a:1" }, 0, 100).map(({ seq }) => seq)).toEqual([9, 10]);
  expect(again.evicted({ kind: "a" })).toBe(8);
});

it("EventTable deletes rows that are too old, also in channels that are silent", async () => {
  const database = await newDatabase();
  const clock = new FakeClock();
  const table = new EventTable({ database, clock });
  for (let i = 0; i < 500; i++) table.append([draft(`a:${i}`)]);
  clock.advance(600_001);
  for (let i = 0; i < 200; i++) table.append([draft("b:1")]);
  expect(database.prepare("SELECT count(*) AS n FROM events WHERE kind = 'a'").get()).toEqual({ n: 0 });
  expect(table.evicted({ kind: "a" })).toBe(500);
  expect(table.evicted({ channel: "a:7" })).toBe(8);
});

it("EventTable takes nothing after close", async () => {
  const table = new EventTable({ database: await newDatabase(), clock: new FakeClock() });
  table.close();
  expect(() => table.append([draft("a:1")])).toThrow("Cannot append: the event table is closed");
  expect(() => table.append([draft("a:1", true)])).toThrow("Cannot append: the event table is closed");
});

it("EventTable counts what goes because of the cap", async () => {
  let capped = 0;
  const cappedEvents = { add: (by = 1) => void (capped += by) };
  const table = new EventTable({
    database: await newDatabase(),
    clock: new FakeClock(),
    maxBytes: 300,
    cappedEvents,
  });
  for (let i = 0; i < 5; i++) table.append([draft(`a:${i}`)]);
  expect(capped).toBe(3);
  expect(table.read({ kind: "a" }, 0, 10).map(({ seq }) => seq)).toEqual([4, 5]);
});
