import { describe, expect, it } from "vitest";
import { at, EPOCH, FeedBench } from "./feed-bench.ts";

describe("Feed", () => {
  it("asks for its channels from where it was, only for events that its rules name", async () => {
    const bench = new FeedBench({ position: at(7) });
    expect(bench.open().data).toEqual({
      channel: "news",
      events: ["count.changed"],
      since: at(7),
    });
    bench.hangUp();
    await bench.redialed();
    await bench.join({ recovered: true });
    bench.event(8);
    await bench.settle();
    expect(bench.feed.connected).toBe(true);
    expect(bench.taken).toMatchObject([{ channel: "news", item: { type: "event" }, position: at(8) }]);
  });

  it("says first who it is, where it has a token", () => {
    const bench = new FeedBench({ settings: { token: "a-token" } });
    bench.line.open();
    expect(bench.line.take()).toMatchObject([
      { event: "auth", data: { token: "a-token" } },
      { event: "subscribe" },
    ]);
  });

  it("begins where it has joined when it is new, and takes over what comes in one tick together", async () => {
    const bench = new FeedBench();
    await bench.join();
    expect(bench.taken.splice(0)).toEqual([{ channel: "news", item: null, position: at(10) }]);
    bench.event(11);
    bench.event(12);
    expect(bench.taken).toEqual([]);
    await bench.settle();
    expect(bench.taken).toMatchObject([
      { item: { data: { count: 11 } }, position: at(11) },
      { item: { data: { count: 12 } }, position: at(12) },
    ]);
  });

  it("comes further where the filter leaves out what comes, also after a gap", async () => {
    const bench = new FeedBench({ position: at(3) });
    await bench.join({ recovered: false, seq: 20 });
    bench.says("gap", 20, { from: 3, to: 20, cause: "history" });
    await bench.settle();
    bench.says("position", 40, {});
    await bench.settle();
    expect(bench.taken).toHaveLength(1);
    bench.clock.advance(1_000);
    bench.clock.advance(1_000);
    expect(bench.taken).toMatchObject([
      { item: { type: "gap", from: 3, to: 20, cause: "history" }, position: at(20) },
      { item: null, position: at(40) },
    ]);
  });

  it("waits longer and longer where nobody listens, at most 20 s, and says nothing of it", async () => {
    const bench = new FeedBench();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 9; attempt++) {
      bench.hangUp();
      waits.push(await bench.redialed());
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000, 20_000]);
    expect(bench.lines).toEqual(["debug Feed has no connection"]);
  });

  it("speaks of a service that cannot be reached when that lasts, and once", async () => {
    const bench = new FeedBench();
    const fails = () => {
      bench.line.onerror?.({ message: "connect ECONNREFUSED" } as never);
      bench.hangUp();
    };
    // One that starts a moment later is none.
    fails();
    await bench.redialed();
    await bench.join();
    expect(bench.told).toEqual(["info Feed is connected"]);
    bench.hangUp();
    for (let attempt = 0; attempt < 8; attempt++) {
      await bench.redialed();
      fails();
    }
    expect(bench.told.slice(1)).toEqual(["info Feed was cut off", "warn Feed cannot reach its service"]);
    expect(bench.reasons.at(-1)).toMatch(/ECONNREFUSED/);
  });

  it.each([[0, 250], [0.5, 4_000], [1, 8_000]])(
    "spreads its attempts where it is refused over the whole wait: %d of it",
    async (random, wait) => {
      const bench = new FeedBench({ random });
      for (let attempt = 0; attempt < 5; attempt++) {
        if (attempt > 0) await bench.redialed();
        bench.line.refuses(bench.open(), "FORBIDDEN", "Not authorized");
      }
      expect(await bench.redialed()).toBe(wait);
      expect(bench.told).toEqual(["warn Feed is refused"]);
    },
  );

  it("tells once that it was cut off, and that it is back", async () => {
    const bench = new FeedBench();
    for (let round = 0; round < 2; round++) {
      await bench.join({ recovered: true });
      bench.hangUp();
      for (let attempt = 0; attempt < 3; attempt++) {
        await bench.redialed();
        bench.hangUp();
      }
      await bench.redialed();
    }
    expect(bench.told).toEqual([
      "info Feed is connected",
      "info Feed was cut off",
    ]);
    expect(bench.feed.connected).toBe(false);
    await bench.join({ recovered: true });
    bench.clock.advance(1_000);
    expect(bench.told).toEqual([
      "info Feed is connected",
      "info Feed was cut off",
      "info Feed is connected",
    ]);
  });

  it("stays away for longer and longer from who lets it in and hangs up", async () => {
    const bench = new FeedBench();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      await bench.join({ recovered: true });
      bench.hangUp();
      waits.push(await bench.redialed());
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
    await bench.join({ recovered: true });
    bench.clock.advance(31_000);
    bench.hangUp();
    expect(await bench.redialed()).toBe(500);
  });

  it("comes back also to who ends its connections for good, and says so once", async () => {
    const bench = new FeedBench();
    for (let attempt = 0; attempt < 7; attempt++) {
      bench.open();
      bench.line.ends(1008, "Authentication failed");
      await bench.redialed();
    }
    expect(bench.told).toEqual(["warn Feed is refused"]);
    await bench.join();
    expect(bench.feed.connected).toBe(true);
  });

  it("begins anew from where it was when what it has heard cannot be stored", async () => {
    const bench = new FeedBench();
    await bench.join();
    const { line } = bench;
    bench.failing = true;
    bench.event(11);
    await bench.settle();
    expect(line.isClosed).toBe(true);
    bench.event(12);
    bench.clock.advance(60_000);
    expect(bench.sockets.made).toHaveLength(1);
    bench.failing = false;
    bench.position = at(10);
    await bench.redialed();
    expect(bench.open().data["since"]).toEqual(at(10));
    expect(bench.taken.map(({ position }) => position)).toEqual([at(10)]);
    expect(new Set(bench.told)).toEqual(
      new Set([
        "info Feed is connected",
        "error What a feed has heard could not be taken over; it is asked for again",
        "info Feed was cut off",
        "error A feed could not begin; it tries again",
      ]),
    );
  });

  it("asks a silent line whether anybody is there, and gives it up where nobody is", async () => {
    const bench = new FeedBench();
    await bench.join();
    const { line } = bench;
    bench.clock.advance(33_000);
    const [ping] = line.take();
    expect(ping).toMatchObject({ type: "request", event: "ping" });
    line.answers(ping!);
    bench.clock.advance(29_000);
    expect(line.isClosed).toBe(false);
    bench.clock.advance(16_000);
    expect(line.isClosed).toBe(true);
    expect(bench.told).toEqual(["info Feed is connected", "info Feed was cut off"]);
  });

  it("gives up a line on which the subscription is not answered", async () => {
    const bench = new FeedBench();
    const { line } = bench;
    bench.open();
    bench.clock.advance(14_000);
    line.says({ type: "event", event: "session.created", room: null, data: {} });
    expect(line.isClosed).toBe(false);
    bench.clock.advance(2_000);
    expect(line.isClosed).toBe(true);
    await bench.redialed();
    await bench.join();
    expect(bench.feed.connected).toBe(true);
  });

  it("gives up a line on which it is not answered after it has come back", async () => {
    const bench = new FeedBench();
    await bench.join();
    bench.hangUp();
    await bench.redialed();
    const { line } = bench;
    bench.open();
    for (let second = 0; second < 16; second++) {
      line.says({ type: "event", event: "session.created", room: null, data: {} });
      bench.clock.advance(1_000);
    }
    expect(line.isClosed).toBe(true);
    expect(bench.told).toEqual(["info Feed is connected", "info Feed was cut off"]);
  });

  it("takes nothing from a service that keeps no positions", async () => {
    for (const join of [{ epoch: undefined, seq: undefined }, { seq: -1 }, { seq: 1.5 }, { epoch: 7 }]) {
      const bench = new FeedBench();
      const { line } = bench;
      await bench.join(join);
      expect(line.isClosed, JSON.stringify(join)).toBe(true);
      expect(bench.told).toEqual(["warn Feed is refused"]);
      expect(bench.taken).toEqual([]);
    }
    const bench = new FeedBench();
    await bench.join();
    bench.taken.length = 0;
    const { line } = bench;
    line.says({ type: "event", event: "count.changed", room: "news", data: { count: 1 } });
    await bench.settle();
    expect(line.isClosed).toBe(true);
    expect(bench.taken).toEqual([]);
  });

  it("counts what is no frame, tells of it once, and ends a line that has nothing else to say", async () => {
    const bench = new FeedBench();
    await bench.join();
    const { line } = bench;
    const event = {
      type: "event",
      event: "count.changed",
      room: "news",
      data: {},
      seq: 11,
      prev: 10,
      epoch: EPOCH,
    };
    const garbage = [
      "",
      "{",
      "[]",
      "null",
      '"text"',
      '{"type":5}',
      "[".repeat(10_000),
      { ...event, data: [] },
      { ...event, data: "text" },
      { ...event, event: 7 },
      { ...event, room: 7 },
      { ...event, seq: -1 },
      { ...event, seq: 1.5 },
      { ...event, seq: "11" },
      { ...event, seq: undefined },
      { ...event, prev: "10" },
      { ...event, epoch: undefined },
      { ...event, epoch: 7 },
      { ...event, epoch: "e".repeat(256) },
      { ...event, timestamp: 5 },
      { ...event, id: {} },
      { type: "error", data: {}, error_code: {}, error_message: "x" },
      { type: "error", data: {}, error_code: "X", error_message: { toString: 1 } },
    ];
    for (const frame of garbage) line.says(frame);
    expect(bench.garbage).toBe(garbage.length);
    bench.event(11);
    await bench.settle();
    expect(bench.taken.at(-1)).toMatchObject({ position: at(11) });
    for (let count = garbage.length; count < 100; count++) line.says("?");
    expect(line.isClosed).toBe(true);
    expect(bench.told.filter((told) => told.startsWith("warn"))).toEqual(["warn Feed hears what is wrong"]);
  });

  it("says and hears nothing more once it was stopped", async () => {
    const bench = new FeedBench();
    await bench.join();
    bench.taken.length = 0;
    bench.event(11);
    bench.feed.stop();
    bench.event(12);
    await bench.settle();
    bench.clock.advance(120_000);
    expect(bench.taken).toEqual([]);
    expect(bench.sockets.made).toHaveLength(1);
    expect(bench.line.isClosed).toBe(true);
    expect(bench.clock.pending).toBe(0);
  });

  it("cuts the words of a refusal, which are a stranger's", () => {
    const bench = new FeedBench();
    bench.line.ends(1008, "x".repeat(999));
    expect(bench.lines.at(-1)).toBe("warn Feed is refused");
    expect(bench.reasons.at(-1)).toHaveLength(200);
  });
});
