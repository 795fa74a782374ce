import { expect, it } from "vitest";
import { silentLog } from "../../src/ports/log.ts";
import type { SequencedEvent } from "../../src/protocol/event.ts";
import { Pump } from "../../src/storage/pump.ts";
import { FakeClock } from "../support/fake-clock.ts";

const event = (seq: number): SequencedEvent => ({
  id: `${seq}`,
  channel: "a:1",
  event: "e",
  data: {},
  timestamp: "",
  ephemeral: false,
  epoch: "e",
  seq,
  prev: 0,
});
const settled = () => new Promise((resolve) => setImmediate(resolve));

it("Pump has published to a synchronous broker when push() returns", async () => {
  const seen: unknown[] = [];
  const cause = Symbol();
  const broker = {
    publish: (events: readonly SequencedEvent[], by?: symbol) => void seen.push([events[0]!.seq, by]),
  };
  const pump = new Pump({ broker, clock: new FakeClock(), log: silentLog });
  pump.push([event(1)], cause);
  pump.push([]);
  expect(seen).toEqual([[1, cause]]);
  await pump.idle();
});

it("Pump publishes what is pushed during a delivery after it", () => {
  const seen: string[] = [];
  const pump = new Pump({
    clock: new FakeClock(),
    log: silentLog,
    broker: {
      publish([{ seq }]: readonly [SequencedEvent]) {
        seen.push(`begin ${seq}`);
        if (seq < 3) pump.push([event(seq + 1)]);
        seen.push(`end ${seq}`);
      },
    } as never,
  });
  pump.push([event(1)]);
  expect(seen).toEqual(["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"]);
});

it("Pump publishes to an asynchronous broker in order, one call at a time", async () => {
  const taken: number[] = [];
  let release = () => {};
  const broker = {
    publish(events: readonly SequencedEvent[]) {
      taken.push(events[0]!.seq);
      return new Promise<void>((resolve) => release = resolve);
    },
  };
  const pump = new Pump({ broker, clock: new FakeClock(), log: silentLog });
  for (const seq of [1, 2, 3]) pump.push([event(seq)]);
  expect(taken).toEqual([1]);
  let idle = false;
  const whenIdle = pump.idle().then(() => idle = true);
  release();
  await settled();
  expect([taken, pump.waiting, idle]).toEqual([[1, 2], 2, false]);
  release();
  await settled();
  release();
  await whenIdle;
  expect([taken, pump.waiting]).toEqual([[1, 2, 3], 0]);
});

it("Pump tries again, later each time, and tells the log", async () => {
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const tries: number[] = [];
  const log = { ...silentLog, error: (_: string, fields = {}) => void errors.push(fields) };
  let works = false;
  const broker = {
    publish(events: readonly SequencedEvent[]): Promise<void> {
      tries.push(clock.monotonic());
      expect(events[0]!.seq).toBe(works && tries.length > 6 ? 2 : 1);
      return works ? Promise.resolve() : Promise.reject(new Error("down"));
    },
  };
  const pump = new Pump({ broker, clock, log, firstDelayMs: 100, maxDelayMs: 350 });
  pump.push([event(1)]);
  pump.push([event(2)]);
  for (let i = 0; i < 4; i++) {
    await settled();
    clock.advance(50);
    clock.advance([50, 150, 300, 300][i]!);
  }
  await settled();
  works = true;
  clock.advance(350);
  await pump.idle();
  expect(tries).toEqual([0, 100, 300, 650, 1000, 1350, 1350]);
  expect(errors).toHaveLength(5);
  expect(errors[2]).toMatchObject({ tries: 3, waiting: 2, delay_ms: 350 });
  expect(clock.pending).toBe(0);
});

it("Pump never throws what a broker throws", async () => {
  const clock = new FakeClock();
  let fails = true;
  const seen: number[] = [];
  const broker = {
    publish(events: readonly SequencedEvent[]) {
      if (fails) throw new Error("no");
      seen.push(events[0]!.seq);
    },
  };
  const pump = new Pump({ broker, clock, log: silentLog });
  pump.push([event(1)]);
  pump.push([event(2)]);
  fails = false;
  clock.advance(100);
  await pump.idle();
  expect(seen).toEqual([1, 2]);
});

it("Pump lets go of everything when it is stopped", async () => {
  const clock = new FakeClock();
  const pump = new Pump({
    broker: { publish: () => Promise.reject(new Error("no")) },
    clock,
    log: silentLog,
  });
  pump.push([event(1)]);
  await settled();
  const idle = pump.idle();
  pump.stop();
  await idle;
  expect([clock.pending, pump.waiting]).toEqual([0, 0]);
});
