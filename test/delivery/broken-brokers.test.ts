import { describe, expect, it } from "vitest";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { checkModel } from "./check-model.ts";
import { type Fault, faultyBroker } from "./faulty-broker.ts";
import { silentLog } from "./silent-log.ts";

const TIMEOUT_MS = 180_000;
/** So many are more than enough: each fault shows within some dozens. */
const RUNS = 400;

const check = async (fault: Fault | null, runs: number) =>
  await checkModel(await detectRuntime({ log: silentLog }), {
    way: "linked",
    runs,
    shrink: false,
    createBroker: () => faultyBroker(fault),
  });

describe("the model finds a broker out that", () => {
  it.each(
    [
      ["drop", /got no event|never came|never answered/],
      ["repeat", /again$|after \d+$/m],
      ["swap", /again$|after \d+$|got no event|never came/m],
      ["wrong epoch", /epoch another/],
      ["forget", /the history does not reach back so far|got no event|never came/],
    ] as const,
  )("is broken in this way: %s", async (fault, sentence) => {
    const { failure, seed } = await check(fault, RUNS);
    expect(failure).toMatch(sentence);
    expect(failure).toContain(`seed ${seed}`);
  }, TIMEOUT_MS);
});

it("the model finds nothing with a broker that does none of it", async () => {
  expect((await check(null, 100)).failure).toBeNull();
}, TIMEOUT_MS);
