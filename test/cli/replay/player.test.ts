import { describe, expect, test } from "vitest";
import { play, type PlayerOptions } from "../../../src/cli/replay/player.ts";
import { readStart } from "../../../src/cli/replay/start.ts";
import type { RecordEntry } from "../../../src/recording/record.ts";
import { HEADER } from "../../recording/header.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function event(at: number, seq: number, channel = "a:1"): RecordEntry {
  return {
    at,
    type: "event",
    channel,
    event: "a.happened",
    id: String(seq),
    data: {},
    timestamp: "",
    seq,
    prev: 0,
    epoch: "e",
  };
}

async function* each(entries: readonly RecordEntry[]) {
  for (const entry of entries) yield entry;
}

/** Let all promises that can be settled be so. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function player(entries: readonly RecordEntry[], more: Partial<PlayerOptions> = {}) {
  const clock = new FakeClock();
  const brought: [at: number, id: string][] = [];
  const played = play({
    header: HEADER,
    entries: each(entries),
    emit: (events) => brought.push(...events.map(({ id }): [number, string] => [clock.monotonic(), id])),
    settled: () => Promise.resolve(),
    clock,
    stopped: new Promise(() => {}),
    ...more,
  });
  return { clock, brought, played };
}

describe("play()", () => {
  const entries = [event(5_000, 1), event(5_000, 2), event(6_000, 3), event(9_000, 4)];

  test("keeps the time between events, and leaves out the silence before the first", async () => {
    const { clock, brought, played } = player(entries);
    await settle();
    expect(brought).toEqual([[0, "1"], [0, "2"]]);
    clock.advance(999);
    await settle();
    expect(brought).toHaveLength(2);
    clock.advance(1);
    await settle();
    clock.advance(3_000);
    expect(await played).toEqual({ events: 4, gaps: 0, isComplete: true });
    expect(brought).toEqual([[0, "1"], [0, "2"], [1_000, "3"], [4_000, "4"]]);
    expect(clock.pending).toBe(0);
  });

  test("is as fast as the speed says, and at none waits for nothing but its readers", async () => {
    const twice = player(entries, { speed: 2 });
    await settle();
    twice.clock.advance(500);
    await settle();
    twice.clock.advance(1_500);
    await twice.played;
    expect(twice.brought.map(([at]) => at)).toEqual([0, 0, 500, 2_000]);
    let read: () => void = () => {};
    const many = Array.from({ length: 250 }, (_, index) => event(index * 1_000, index + 1));
    const fast = player(many, { speed: Infinity, settled: () => new Promise((resolve) => read = resolve) });
    await settle();
    expect(fast.brought).toHaveLength(100);
    read();
    await settle();
    expect(fast.brought).toHaveLength(200);
    read();
    await settle();
    read();
    expect(await fast.played).toEqual({ events: 250, gaps: 0, isComplete: true });
    expect(fast.brought.every(([at]) => at === 0)).toBe(true);
  });

  test.each([
    ["5001ms", ["3", "4"]],
    ["6s", ["3", "4"]],
    ["4", ["4"]],
    ["2026-01-01T00:00:06Z", ["3", "4"]],
    ["2026-01-01T00:00:07Z", ["4"]],
    ["10s", []],
  ])("begins where --from %s says", async (text, ids) => {
    const from = readStart(text);
    const { brought, played } = player(entries, { from, speed: Infinity });
    await played;
    expect(brought.map(([, id]) => id)).toEqual(ids);
  });

  test("brings only the channels that are wanted, and counts the gaps in them", async () => {
    const gap = (channel: string): RecordEntry => ({
      at: 6_000,
      type: "gap",
      channel,
      from: 1,
      to: 2,
      cause: "history",
    });
    const mixed = [event(1, 1), event(2, 2, "b"), event(3, 3, "a:2"), gap("a:*"), gap("b")];
    const bring = async (channels: readonly string[] | undefined) => {
      const { brought, played } = player(mixed, { speed: Infinity, channels });
      return { ids: brought, ...await played };
    };
    expect(await bring(undefined)).toMatchObject({ events: 3, gaps: 2 });
    expect(await bring(["a:*"])).toMatchObject({ events: 2, gaps: 1 });
    expect(await bring(["a:2", "b"])).toMatchObject({ events: 2, gaps: 1 });
  });

  test("ends in the middle of a wait when somebody wishes it, and lets go of the record", async () => {
    let stop: () => void = () => {};
    let closed = false;
    async function* source() {
      try {
        yield* entries;
      } finally {
        closed = true;
      }
    }
    const stopped = new Promise<void>((resolve) => stop = resolve);
    const { clock, played } = player([], { entries: source(), stopped });
    await settle();
    stop();
    expect(await played).toEqual({ events: 2, gaps: 0, isComplete: false });
    expect(closed).toBe(true);
    expect(clock.pending).toBe(0);
  });
});

describe("readStart()", () => {
  test.each(["", "x", "-5", "5 s", "2026-13-45T99:99:99Z", "1e3"])("refuses %j", (text) => {
    expect(() => readStart(text)).toThrow(/^--from: expected a time since the start like 90s/);
  });

  test("tells offsets, seqs and times apart", () => {
    expect(readStart("1.5s")).toEqual({ by: "offset", ms: 1_500 });
    expect(readStart("2m")).toEqual({ by: "offset", ms: 120_000 });
    expect(readStart("4711")).toEqual({ by: "seq", seq: 4_711 });
    expect(readStart("2026-01-31T12:00:00Z")).toEqual({ by: "time", ms: Date.UTC(2026, 0, 31, 12) });
  });
});
