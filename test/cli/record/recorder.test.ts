import { describe, expect, test } from "vitest";
import { recordChannels } from "../../../src/cli/record/recorder.ts";
import type { Client } from "../../../src/client/node.ts";
import type { Item } from "../../../src/client/mod.ts";
import { RecordWriter } from "../../../src/recording/write-record.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function event(seq: number): Item {
  return {
    type: "event",
    channel: "a",
    event: "x",
    id: String(seq),
    data: {},
    timestamp: "2026-01-01T00:00:00.000Z",
    seq,
    prev: seq - 1,
    epoch: "e",
  };
}

/** Let all promises that can be settled be so. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

interface Given {
  readonly items?: readonly Item[];
  readonly isSilent?: boolean;
  readonly write?: (bytes: Uint8Array) => Promise<number>;
  readonly maxEvents?: number;
  readonly durationMs?: number;
}

/** A recorder of a service that brings some items in one go, and then nothing. */
function recorder({ items = [], isSilent = false, write, ...limits }: Given) {
  const clock = new FakeClock();
  const never = new Promise<never>(() => {});
  let text = "";
  let stop: () => void = () => {};
  let close: () => void = () => {};
  const closed = new Promise<void>((resolve) => close = resolve);
  const client = {
    subscribe: () => ({
      ready: isSilent ? never : Promise.resolve({ position: { epoch: "e", seq: 0 }, recovered: null }),
      async *[Symbol.asyncIterator]() {
        yield* items;
        await closed;
      },
    }),
    close: () => close(),
  } as unknown as Client;
  const recorded = recordChannels({
    connect: () =>
      Promise.resolve({ client, opened: Promise.resolve(), failed: never, greeted: Promise.resolve() }),
    service: "akosha",
    url: "ws://127.0.0.1:8692/",
    channels: ["a"],
    writer: new RecordWriter({
      clock,
      write: write ?? ((bytes) => {
        text += new TextDecoder().decode(bytes);
        return Promise.resolve(bytes.byteLength);
      }),
    }),
    stopped: new Promise((resolve) => stop = resolve),
    clock,
    ...limits,
  });
  // Awaited by the tests, some of them later.
  recorded.catch(() => {});
  const lines = () => text.trimEnd().split("\n").map((line) => JSON.parse(line));
  return { clock, recorded, lines, stop: () => stop() };
}

describe("recordChannels()", () => {
  test("writes no more events than are wanted, also where more of them come at once", async () => {
    const { clock, recorded, lines } = recorder({ items: [1, 2, 3, 4, 5].map(event), maxEvents: 3 });
    await settle();
    clock.tick();
    expect(await recorded).toEqual({ reason: "events", error: null, gaps: 0, interruptions: 0 });
    expect(lines().slice(1).map(({ type, seq, events }) => seq ?? `${type} ${events}`)).toEqual([
      1,
      2,
      3,
      "end 3",
    ]);
    expect(clock.pending).toBe(0);
  });

  test("ends where the service is there and does not answer, whatever --duration says", async () => {
    const { clock, recorded } = recorder({ isSilent: true, durationMs: 1_000 });
    await settle();
    clock.advance(10_000);
    await expect(recorded).rejects.toMatchObject({
      code: 1,
      message: "akosha did not answer within 10 seconds at ws://127.0.0.1:8692/: nothing is recorded",
    });
    expect(clock.pending).toBe(0);
  });

  test("waits no longer than 5 s for an output that takes nothing, once it is told to stop", async () => {
    let writes = 0;
    const { clock, recorded, stop } = recorder({
      items: [event(1)],
      write: (bytes) => writes++ === 0 ? Promise.resolve(bytes.byteLength) : new Promise(() => {}),
    });
    await settle();
    clock.tick();
    await settle();
    stop();
    await settle();
    clock.advance(5_000);
    await expect(recorded).rejects.toMatchObject({
      code: 1,
      message: "The rest could not be written: nobody reads it",
    });
    expect(clock.pending).toBe(0);
  });
});
