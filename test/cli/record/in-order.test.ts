import { describe, expect, test } from "vitest";
import { InOrder } from "../../../src/cli/record/in-order.ts";
import type { Item } from "../../../src/client/mod.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function event(seq: number, channel = "a", epoch = "e"): Item {
  return {
    type: "event",
    channel,
    event: "x",
    id: String(seq),
    data: {},
    timestamp: "",
    seq,
    prev: 0,
    epoch,
  };
}

const GAP: Item = { type: "gap", channel: "a", from: 1, to: 2, cause: "history" };

describe("InOrder", () => {
  test("puts what comes within a tick in the order of its positions", async () => {
    const clock = new FakeClock();
    const taken: unknown[] = [];
    const order = new InOrder(
      clock,
      (items) => Promise.resolve(void taken.push(items.map((item) => item.type === "event" && item.seq))),
    );
    for (const seq of [1, 4, 5]) await order.add(event(seq));
    for (const seq of [2, 3]) await order.add(event(seq, "b"));
    clock.tick();
    await order.idle();
    await order.add(event(6));
    clock.tick();
    await order.idle();
    expect(taken).toEqual([[1, 2, 3, 4, 5], [6]]);
  });

  test("moves nothing where positions cannot be compared", async () => {
    const clock = new FakeClock();
    const taken: (readonly Item[])[] = [];
    const order = new InOrder(clock, (items) => Promise.resolve(void taken.push(items)));
    for (const items of [[event(2), GAP, event(1)], [event(2), event(1, "a", "f")]]) {
      for (const item of items) await order.add(item);
      clock.tick();
      await order.idle();
      expect(taken.at(-1)).toEqual(items);
    }
  });

  test("makes whoever brings too much wait, and tells it of a failure", async () => {
    const clock = new FakeClock();
    const order = new InOrder(clock, () => Promise.reject(new Error("the disk is full")));
    for (let seq = 1; seq < 1_000; seq++) await order.add(event(seq));
    const last = order.add(event(1_000));
    clock.tick();
    await expect(last).rejects.toThrow("the disk is full");
    await expect(order.idle()).rejects.toThrow("the disk is full");
  });
});
