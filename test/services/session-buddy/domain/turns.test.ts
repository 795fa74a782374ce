import { describe, expect, test } from "vitest";
import { Turns } from "../../../../services/session-buddy/domain/turns.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

/** Work that lasts until it is told to end. */
function makeWork() {
  const ends: (() => void)[] = [];
  const order: number[] = [];
  let running = 0;
  let most = 0;
  return {
    ends,
    order,
    most: () => most,
    work: (name: number) => async () => {
      order.push(name);
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => ends.push(resolve));
      running--;
      return name;
    },
  };
}

const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

describe("Turns", () => {
  test("as many work at once as may, the next begins when one ends, in the order of asking", async () => {
    const turns = new Turns({ atOnce: 2, patienceMs: 1_000, clock: new FakeClock() });
    const { ends, order, most, work } = makeWork();
    const results = [1, 2, 3, 4, 5].map((name) => turns.take(work(name)));
    expect(order).toEqual([1, 2]);
    for (let ended = 0; ended < 5; ended++) {
      ends[ended]!();
      await settle();
    }
    expect(await Promise.all(results)).toEqual([1, 2, 3, 4, 5]);
    expect([order, most()]).toEqual([[1, 2, 3, 4, 5], 2]);
  });

  test("whoever waits too long goes without, and those behind it move up", async () => {
    const clock = new FakeClock();
    const turns = new Turns({ atOnce: 1, patienceMs: 1_000, clock });
    const { ends, order, work } = makeWork();
    const first = turns.take(work(1));
    const late = turns.take(work(2));
    clock.advance(500);
    const next = turns.take(work(3));
    clock.advance(499);
    await settle();
    clock.advance(1);
    expect(await late).toBeNull();
    ends[0]!();
    expect(await first).toBe(1);
    await settle();
    ends[1]!();
    expect(await next).toBe(3);
    expect([order, clock.pending]).toEqual([[1, 3], 0]);
  });

  test("work that fails gives its turn back", async () => {
    const turns = new Turns({ atOnce: 1, patienceMs: 1_000, clock: new FakeClock() });
    await expect(turns.take(() => Promise.reject(new Error("failed")))).rejects.toThrow("failed");
    expect(await turns.take(() => Promise.resolve("done"))).toBe("done");
  });
});
