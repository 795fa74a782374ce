import { expect, it } from "vitest";
import { MemoryJournal } from "../../src/broker/memory-journal.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { describeJournal } from "../storage/journal-model.ts";

describeJournal("MemoryJournal", (setup) => {
  const journal = new MemoryJournal(setup);
  return Promise.resolve({ journal, end: () => journal.close() });
}, 500);

const draft = (channel: string, ephemeral = false) => ({
  id: "1",
  channel,
  event: "e",
  data: {},
  timestamp: "",
  ephemeral,
});

it("MemoryJournal has an epoch of its own each time", () => {
  const clock = new FakeClock();
  expect(new MemoryJournal({ clock }).head.epoch).not.toBe(new MemoryJournal({ clock }).head.epoch);
});

it("MemoryJournal forgets the longest unused channels and then claims nothing about them", () => {
  const journal = new MemoryJournal({ clock: new FakeClock(), maxChannels: 3 });
  for (const channel of ["a:1", "a:2", "a:3", "a:1", "a:4"]) journal.append([draft(channel)]);
  expect(journal.channels(10).map(({ channel }) => channel)).toEqual(["a:4", "a:1", "a:3"]);
  expect(journal.evicted({ channel: "a:2" })).toBe(2);
  expect(journal.evicted({ kind: "a" })).toBe(2);
  expect(journal.evicted({ channel: "a:1" })).toBe(0);
  expect(journal.append([draft("a:2")])).toMatchObject([{ seq: 6, prev: 0 }]);
});

it("MemoryJournal counts what goes because of the cap", () => {
  let capped = 0;
  const cappedEvents = { add: (by = 1) => void (capped += by) };
  const journal = new MemoryJournal({ clock: new FakeClock(), maxBytes: 300, cappedEvents });
  for (let i = 0; i < 5; i++) journal.append([draft(`a:${i}`)]);
  expect(capped).toBe(3);
  expect(journal.read({ kind: "a" }, 0, 10).map(({ seq }) => seq)).toEqual([4, 5]);
});

it("MemoryJournal remembers the seqs of only so many ephemeral channels", () => {
  const journal = new MemoryJournal({ clock: new FakeClock() });
  for (let i = 0; i < 10_001; i++) journal.append([draft(`c:${i}`, true)]);
  expect(journal.append([draft("c:10000", true)])).toMatchObject([{ prev: 10_001 }]);
  expect(journal.append([draft("c:0", true)])).toMatchObject([{ prev: 0 }]);
});
