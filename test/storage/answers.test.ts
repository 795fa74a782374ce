import { describe, expect, it } from "vitest";
import type { AnswerBounds, Answers } from "../../src/ports/answers.ts";
import { AnswerTable } from "../../src/storage/answer-table.ts";
import { MemoryAnswers } from "../../src/storage/memory-answers.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { newDatabase, newDatabasePath } from "./database-file.ts";

type Make = (clock: FakeClock, bounds?: AnswerBounds) => Promise<Answers>;

const kinds: [string, Make][] = [
  ["AnswerTable", async (clock, bounds) => new AnswerTable({ database: await newDatabase(), clock, bounds })],
  ["MemoryAnswers", (clock, bounds) => Promise.resolve(new MemoryAnswers({ clock, bounds }))],
];
const once = (key: string, scope = "user:1") => ({ scope, key, digest: `digest of ${key}` });

describe.each(kinds)("%s", (_, make) => {
  it("finds an answer in its own scope only", async () => {
    const answers = await make(new FakeClock());
    answers.save(once("k"), '{"a":1}');
    expect(answers.find({ ...once("k"), digest: "other" })).toEqual({
      digest: "digest of k",
      answer: '{"a":1}',
    });
    expect(answers.find(once("k", "user:2"))).toBeUndefined();
    expect(answers.find(once("1k", "user:"))).toBeUndefined();
  });

  it("keeps the answer that was saved last", async () => {
    const answers = await make(new FakeClock());
    answers.save(once("k"), "1");
    answers.save(once("k"), "2");
    expect(answers.find(once("k"))?.answer).toBe("2");
  });

  it("keeps an answer for exactly its time", async () => {
    const clock = new FakeClock();
    const answers = await make(clock, { ageMs: 1_000, count: 100, bytes: 10_000 });
    clock.advance(900);
    answers.save(once("k"), "1");
    clock.advance(500);
    answers.save(once("later"), "2");
    clock.advance(500);
    expect(answers.find(once("k"))?.answer).toBe("1");
    clock.advance(1);
    expect(answers.find(once("k"))).toBeUndefined();
    expect(answers.find(once("later"))?.answer).toBe("2");
  });

  it("keeps no more than count allows, and the newer half at least", async () => {
    const answers = await make(new FakeClock(), { ageMs: 1e9, count: 32, bytes: 1e9 });
    for (let i = 0; i < 500; i++) answers.save(once(`${i}`), "{}");
    const kept = Array.from({ length: 500 }, (_, i) => i).filter((i) => answers.find(once(`${i}`)));
    expect(kept.length).toBeLessThanOrEqual(34);
    expect(kept.slice(-16)).toEqual(Array.from({ length: 16 }, (_, i) => 484 + i));
  });

  it("keeps no more than bytes allow", async () => {
    const answers = await make(new FakeClock(), { ageMs: 1e9, count: 1e9, bytes: 10_000 });
    for (let i = 0; i < 100; i++) answers.save(once(`${i}`), JSON.stringify("x".repeat(900)));
    const kept = Array.from({ length: 100 }, (_, i) => i).filter((i) => answers.find(once(`${i}`)));
    expect(kept.length).toBeLessThanOrEqual(11);
    expect(kept.length).toBeGreaterThanOrEqual(5);
    expect(kept.at(-1)).toBe(99);
  });
});

it("AnswerTable has its answers in a new process", async () => {
  const path = newDatabasePath();
  const clock = new FakeClock();
  const first = await newDatabase(path);
  new AnswerTable({ database: first, clock }).save(once("k"), "1");
  first.close();
  expect(new AnswerTable({ database: await newDatabase(path), clock }).find(once("k"))?.answer).toBe("1");
});
