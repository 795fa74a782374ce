import { beforeEach, expect, test } from "vitest";
import { Announcer } from "../../../services/mahavishnu/domain/announcer.ts";
import { FakeClock } from "../../support/fake-clock.ts";

let clock: FakeClock;
let value: number;
let said: [time: number, value: number][];
let announcer: Announcer;
beforeEach(() => {
  clock = new FakeClock();
  value = 0;
  said = [];
  announcer = new Announcer(clock, 500, () => said.push([clock.monotonic(), value]));
});

function change(to: number): void {
  value = to;
  announcer.changed();
}

test("Announcer says what has changed in one tick once, at its end", () => {
  change(1);
  change(2);
  expect(said).toEqual([]);
  clock.tick();
  expect(said).toEqual([[0, 2]]);
  clock.advance(10_000);
  expect(said).toHaveLength(1);
});

test("Announcer says the latest, at most once in its interval", () => {
  change(1);
  clock.advance(100);
  change(2);
  clock.advance(100);
  change(3);
  clock.advance(10_000);
  expect(said).toEqual([[0, 1], [500, 3]]);
});

test("Announcer says a change at once where it has been silent for its interval", () => {
  change(1);
  clock.advance(500);
  change(2);
  clock.tick();
  expect(said).toEqual([[0, 1], [500, 2]]);
});

test("Announcer goes at most at its pace through a storm, and ends with the latest", () => {
  for (let n = 1; n <= 1_000; n++) {
    change(n);
    clock.advance(7);
  }
  clock.advance(1_000);
  expect(said.at(-1)![1]).toBe(1_000);
  for (const [index, [time]] of said.slice(1).entries()) {
    expect(time - said[index]![0]).toBeGreaterThanOrEqual(500);
  }
  expect(said.length).toBeGreaterThan(10);
});

test("close says what waits, and nothing after it", () => {
  change(1);
  clock.tick();
  change(2);
  announcer.close();
  expect(said).toEqual([[0, 1], [0, 2]]);
  change(3);
  clock.advance(10_000);
  expect(said).toHaveLength(2);
  expect(clock.pending).toBe(0);
});

test("close says nothing where nothing has changed", () => {
  announcer.close();
  expect(said).toEqual([]);
});
