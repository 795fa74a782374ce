import { expect, test } from "vitest";
import { ReadingTurns } from "../../src/mcp/reading-turns.ts";
import { FakeClock } from "../support/fake-clock.ts";

function setUp() {
  const clock = new FakeClock();
  const ends: (() => void)[] = [];
  clock.endOfTick = (work) => void ends.push(work);
  const turns = new ReadingTurns(clock);
  const told: string[] = [];
  const take = (name: string, hasEnded: () => boolean = () => false) =>
    void turns.take(hasEnded).then((isMine) => told.push(isMine ? name : `not ${name}`));
  /** The end of a tick; what was told by then. */
  const tick = async () => {
    ends.shift()?.();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    return told.splice(0);
  };
  return { take, tick, ends };
}

test("one reader has its turn in each tick, in the order in which they came", async () => {
  const { take, tick, ends } = setUp();
  for (const name of ["a", "b", "c"]) take(name);
  expect(await tick()).toEqual(["a", "b"]);
  take("a again");
  expect(await tick()).toEqual(["c"]);
  expect(await tick()).toEqual(["a again"]);
  expect(await tick()).toEqual([]);
  expect(ends).toEqual([]);
  take("d");
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  expect(await tick()).toEqual(["d"]);
});

test("who has given up costs the others no turn", async () => {
  const { take, tick } = setUp();
  take("a");
  for (let n = 0; n < 1_000; n++) take(`gone ${n}`, () => true);
  take("b");
  const told = await tick();
  expect(told.filter((name) => !name.startsWith("not"))).toEqual(["a", "b"]);
  expect(told).toHaveLength(1_002);
});
