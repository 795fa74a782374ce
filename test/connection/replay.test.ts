import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Broker } from "../../src/broker/broker.ts";
import { type Bench, createBench } from "../support/connection-bench.ts";

const join = (seq: number, more: object = {}) => ({
  type: "subscribe",
  data: { channel: "doc:a", since: { epoch: "e1", seq }, ...more },
});
const numbers = (frames: { type: string; data: { n?: number } }[]) =>
  frames.filter(({ type, data }) => type === "event" && data.n !== undefined).map(({ data }) => data.n);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

function filled(count: number, options = {}): Bench {
  const bench = createBench(options);
  for (let n = 1; n <= count; n++) bench.change("a", n);
  return bench;
}

describe("replay", () => {
  test("replay brings what came after since, before anything live, and says recovered", async () => {
    const bench = filled(20);
    const client = bench.connect();
    client.send(join(5));
    bench.change("a", 21);
    await bench.settle();
    bench.change("a", 22);
    await bench.settle();
    const [reply, ...events] = client.take();
    expect(reply!.data).toEqual({
      status: "subscribed",
      channel: "doc:a",
      epoch: "e1",
      seq: 20,
      recovered: true,
    });
    expect(numbers(events as never)).toEqual(range(6, 22));
  });

  test("replay of the last n brings those, as many as there are", async () => {
    const bench = filled(20);
    for (const [last, expected] of [[3, range(18, 20)], [100, range(1, 20)]] as const) {
      const client = bench.connect();
      const [reply, ...events] = await bench.ask(client, {
        type: "subscribe",
        data: { channel: "doc:a", last },
      });
      expect(reply!.data.recovered).toBeUndefined();
      expect(numbers(events as never)).toEqual(expected);
    }
  });

  // The second one ended the first, whose rest was never told of.
  test("replay is not lost to who subscribes again while it is under way", async () => {
    const bench = filled(20);
    const client = bench.connect();
    client.send(join(0));
    client.send({ type: "subscribe", data: { channel: "doc:a", last: 2 } });
    for (let round = 0; round < 10; round++) {
      await bench.settle();
      bench.clock.advance(10);
    }
    expect(numbers(client.frames as never)).toEqual([...range(1, 20), 19, 20]);
  });

  test("replay longer than one batch is complete", async () => {
    const bench = createBench({ retention: { events: 2_000 } });
    for (let n = 1; n <= 1_000; n++) bench.change("a", n);
    const client = bench.connect();
    client.send(join(0));
    for (let round = 0; round < 10; round++) {
      await bench.settle();
      bench.clock.advance(10);
    }
    expect(client.frames).toHaveLength(1_001);
    expect(numbers(client.frames as never)).toEqual(range(1, 1_000));
  });

  test.each([
    ["epoch", { epoch: "other", seq: 3 }, 0, "doc:a"],
    ["ahead", { epoch: "e1", seq: 99 }, 20, "doc:a"],
    ["history", { epoch: "e1", seq: 2 }, 2, "doc:a"],
    ["history", { epoch: "e1", seq: 2 }, 2, "doc:*"],
    ["ephemeral", { epoch: "e1", seq: 2 }, 2, "cursor:a"],
  ])("what is lost by %s is told by a gap, and the state is given", async (cause, since, from, channel) => {
    const bench = filled(20, { retention: { events: 5 }, snapshot: () => ({ n: 20 }) });
    const client = bench.connect();
    const frames = await bench.ask(client, { type: "subscribe", data: { channel, since } });
    expect(frames).toHaveLength(2);
    expect(frames[0]!.data).toMatchObject({ recovered: false, seq: 20 });
    expect(frames[0]!.data.snapshot).toEqual(channel === "doc:*" ? undefined : { n: 20 });
    expect(frames[1]).toMatchObject({
      type: "event",
      event: "gap",
      room: channel,
      epoch: "e1",
      seq: 20,
      data: { from, to: 20, cause },
    });
    bench.publish(channel === "cursor:a" ? "cursor.moved" : "doc.changed", { doc_id: "a", n: 21 });
    await bench.settle();
    expect(numbers(client.take() as never)).toEqual([21]);
  });

  test("an ephemeral channel at which nothing can have been missed is recovered", async () => {
    const bench = filled(3);
    const data = { channel: "cursor:a", since: { epoch: "e1", seq: 3 } };
    expect((await bench.ask(bench.connect(), { type: "subscribe", data }))[0]!.data.recovered).toBe(true);
  });

  test("replay that loses its history on the way tells it by a gap", async () => {
    const bench = filled(5, { retention: { events: 5 } });
    const client = bench.connect();
    client.send(join(0));
    // Before the replay's first read is seen, the history has moved on.
    for (let n = 6; n <= 12; n++) bench.change("a", n);
    await bench.settle();
    const seen = numbers(client.frames as never);
    const gaps = client.frames.filter(({ event }) => event === "gap").map(({ data }) => data);
    const told = new Set([...seen, ...gaps.flatMap(({ from, to }) => range(from + 1, to))]);
    expect([...told].sort((a, b) => a! - b!)).toEqual(range(1, 12));
    expect(new Set(seen).size).toBe(seen.length);
  });

  test("replay is paced by the socket, never counted as slow, and delays no other member", async () => {
    const bench = createBench({ retention: { events: 256 }, settings: { outboundQueueBytes: 100_000 } });
    for (let n = 1; n <= 100; n++) bench.publish("system.announcement", { message: "x".repeat(30_000) });
    const [slow, other] = [bench.connect(), bench.connect()];
    await bench.ask(other, { type: "subscribe", room: "doc:a" });
    slow.stall();
    slow.send({ type: "subscribe", data: { channel: "global", last: 100 } });
    slow.send({ type: "subscribe", room: "doc:a" });
    await bench.settle();
    bench.clock.advance(60_000);
    await bench.settle();
    const bytes = slow.unread;
    expect(bytes).toBeGreaterThan(200_000);
    expect(bytes).toBeLessThan(300_000);
    for (let n = 1; n <= 5; n++) {
      bench.change("a", n);
      bench.clock.tick();
    }
    expect(slow.close).toBeNull();
    expect(numbers(other.take() as never)).toEqual(range(1, 5));
    for (let step = 0; step < 400 && slow.frames.length < 107; step++) {
      slow.read(20_000);
      bench.clock.advance(10);
      await bench.settle();
    }
    expect(slow.frames.filter(({ event }) => event === "system.announcement")).toHaveLength(100);
    expect(slow.close).toBeNull();
  });

  test("live frames beside a replay are judged as ever", async () => {
    const bench = createBench({ settings: { outboundQueueBytes: 100_000 } });
    for (let n = 1; n <= 20; n++) bench.publish("system.announcement", { message: "x".repeat(30_000) });
    const client = bench.connect();
    client.stall();
    client.send({ type: "subscribe", data: { channel: "global", last: 20 } });
    client.send({ type: "subscribe", room: "doc:a" });
    await bench.settle();
    for (let n = 1; n <= 1_000 && client.close === null; n++) {
      bench.change("a", n);
      bench.clock.tick();
    }
    expect(client.close?.code).toBe(4000);
  });

  test("replay that the broker breaks off is told by a gap, and goes live", async () => {
    const broker = (inner: Broker): Broker =>
      Object.create(inner, {
        position: { get: () => inner.position },
        evicted: { value: () => 0 },
        tail: { value: () => null },
        read: { value: () => Promise.reject(new Error("lost")) },
      });
    const bench = filled(5, { broker });
    const client = bench.connect();
    const frames = await bench.ask(client, join(2));
    expect(frames.map(({ event }) => event)).toEqual(["subscribe", "gap"]);
    bench.change("a", 6);
    await bench.settle();
    expect(numbers(client.take() as never)).toEqual([6]);
  });

  test("a distant broker that fails is answered once, and harms nothing", async () => {
    const broker = (inner: Broker): Broker =>
      Object.create(inner, {
        position: { get: () => inner.position },
        evicted: { value: () => Promise.reject(new Error("lost")) },
      });
    const bench = filled(5, { broker, settings: { welcome: "deferred" } });
    const client = bench.connect();
    const frames = await bench.ask(client, { ...join(2), id: "q" });
    expect(frames.map(({ error_code, event }) => error_code ?? event)).toEqual([
      "SERVER_ERROR",
      "session.created",
    ]);
    expect((await bench.ask(client, { type: "ping" }))[0]!.type).toBe("pong");
  });

  test("replay and live events meet without loss or repetition, whenever they come", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(30),
        fc.nat(30),
        fc.array(
          fc.oneof(fc.constant("publish"), fc.constant("turn"), fc.constant("read"), fc.constant("tick")),
          { maxLength: 60 },
        ),
        async (past, since, steps) => {
          const bench = filled(past, { retention: { events: 500 } });
          const start = Math.min(past, since);
          const client = bench.connect();
          client.stall();
          client.send(join(start));
          let n = past;
          for (const step of steps) {
            if (step === "publish") bench.change("a", ++n);
            else if (step === "turn") await Promise.resolve();
            else if (step === "read") client.read(700);
            else bench.clock.step();
          }
          client.flow();
          bench.clock.advance(100);
          await bench.settle();
          expect(numbers(client.frames as never)).toEqual(range(start + 1, n));
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("a subscription with a filter", () => {
  test("brings the events named, from the past and live, and the position of the others when asked", async () => {
    const bench = filled(3);
    bench.publish("doc.noted", { doc_id: "a", n: 4 });
    const client = bench.connect();
    await bench.ask(client, join(0, { events: ["doc.noted"] }));
    expect(numbers(client.frames as never)).toEqual([4]);
    bench.change("a", 5);
    bench.publish("doc.noted", { doc_id: "a", n: 6 });
    expect([...bench.hub.takeUnseen()]).toEqual([]);
    bench.change("a", 7);
    const unseen = [...bench.hub.takeUnseen()];
    expect(unseen.map(({ seq }) => seq)).toEqual([7]);
    expect([...bench.hub.takeUnseen()]).toEqual([]);
    [...bench.connections.values()][0]!.position(unseen[0]!.subscription, 7);
    await bench.settle();
    expect(client.frames.at(-1)).toMatchObject({
      type: "event",
      event: "position",
      room: "doc:a",
      data: { epoch: "e1", seq: 7 },
      epoch: "e1",
      seq: 7,
    });
    const back = bench.connect();
    expect((await bench.ask(back, join(7)))[0]!.data.recovered).toBe(true);
  });

  test("forgets what it hid when it is asked for anew", async () => {
    const bench = createBench();
    const client = bench.connect();
    const filter = { type: "subscribe", data: { channel: "doc:a", events: ["doc.noted"] } };
    await bench.ask(client, filter);
    bench.change("a", 1);
    bench.change("a", 2);
    await bench.ask(client, filter);
    expect([...bench.hub.takeUnseen()]).toEqual([]);
  });
});
