/**
 * A replay that a fast reader asks for again and again must not keep the process from all else.
 */
import { expect, it } from "vitest";
import { createBench } from "../support/connection-bench.ts";

/** What is waiting in promises is done, and no timer or end of a tick comes. */
async function sameTurn(): Promise<void> {
  for (let turn = 0; turn < 2_000; turn++) await Promise.resolve();
}

it("replays of one client take turns with everything else, and come to their end", async () => {
  const bench = createBench({ retention: { events: 300 } });
  for (let n = 1; n <= 300; n++) bench.change("a", n);
  await bench.settle();
  const client = bench.connect();
  await bench.settle();
  client.take();
  for (let n = 0; n < 8; n++) client.request("subscribe", { channel: "doc:*", last: 300 }, `again ${n}`);
  let inOneTurn = 0;
  let events = 0;
  for (let turn = 0; turn < 60; turn++) {
    await sameTurn();
    bench.clock.tick();
    const came = client.take().filter(({ type }) => type === "event").length;
    events += came;
    inOneTurn = Math.max(inOneTurn, came);
  }
  expect(inOneTurn).toBeLessThanOrEqual(256);
  expect(events).toBe(8 * 300);
});
