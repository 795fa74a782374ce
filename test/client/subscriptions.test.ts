/**
 * Subscriptions of the client over real connections of a bench: what the application reads, whatever becomes of the
 * connection.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createClient } from "../../src/client/mod.ts";
import type { Item, SubscribeOptions, Subscription } from "../../src/client/mod.ts";
import { type Bench, type BenchOptions, createBench } from "../support/connection-bench.ts";
import type { BenchContract } from "../support/bench-service.ts";
import { benchSockets } from "./bench-socket.ts";

/** Reads a subscription as fast as it comes. */
function reading(subscription: Subscription<Item>) {
  const items: Item[] = [];
  let error: unknown;
  const done = (async () => {
    try {
      for await (const item of subscription) items.push(item);
    } catch (caught) {
      error = caught;
    }
  })();
  return {
    items,
    subscription,
    done,
    get error() {
      return error;
    },
    /** Numbers of the events, in order. */
    get numbers(): number[] {
      return items.flatMap((item) => item.type === "event" ? [item.data.n] : []);
    },
    take(): Item[] {
      return items.splice(0);
    },
  };
}

function setUp(options: BenchOptions = {}) {
  const bench = createBench(options);
  const sockets = benchSockets(bench);
  const client = createClient<BenchContract>({
    url: "ws://bench",
    WebSocket: sockets.WebSocket,
    clock: bench.clock,
    random: () => 0.5,
  });
  const open = (name: "doc:a" | "doc:b" | "doc:*" | "cursor:a" | "feed", given: SubscribeOptions = {}) =>
    reading(client.subscribe(name, given as never) as unknown as Subscription<Item>);
  let n = 0;
  const publish = (doc_id: string, event: "doc.changed" | "doc.noted" = "doc.changed") =>
    bench.publish(event, { doc_id, n: ++n });
  const fill = (count: number, doc_id = "a") => {
    for (let i = 0; i < count; i++) publish(doc_id);
  };
  const settle = async () => {
    for (let turn = 0; turn < 3; turn++) await bench.settle();
  };
  /** Lose the connection and come back, with something happening meanwhile. */
  const reconnect = async (meanwhile: () => void = () => {}) => {
    sockets.links.at(-1)!.hangUp(1006);
    meanwhile();
    await back(bench);
    await settle();
  };
  return { bench, sockets, client, open, publish, fill, settle, reconnect };
}

async function back(bench: Bench): Promise<void> {
  // Longer than the longest wait, in steps that let replays go on.
  for (let step = 0; step < 60; step++) {
    bench.clock.advance(500);
    await bench.settle();
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

test("a subscription brings what happens from now on, with its position", async () => {
  const { open, fill, settle, bench } = setUp();
  fill(2);
  const a = open("doc:a");
  await settle();
  expect(await a.subscription.ready).toEqual({ position: { epoch: "e1", seq: 2 }, recovered: null });
  fill(2);
  await settle();
  expect(a.items).toEqual([3, 4].map((n) => ({
    type: "event",
    channel: "doc:a",
    event: "doc.changed",
    id: expect.any(String),
    data: { doc_id: "a", n, timestamp: expect.any(String) },
    timestamp: expect.any(String),
    seq: n,
    prev: n - 1,
    epoch: "e1",
  })));
  expect(a.subscription.position).toEqual({ epoch: "e1", seq: 4 });
  expect(bench.hub.roomCount).toBe(1);
});

test("its position is that of what was read, and moves on where nothing is to be read", async () => {
  const { client, publish, settle } = setUp();
  const subscription = client.subscribe("doc:a", { events: ["doc.noted"] });
  const position = () => subscription.position?.seq;
  expect([position(), subscription.isLive]).toEqual([undefined, false]);
  await settle();
  expect([position(), subscription.isLive]).toEqual([0, true]);
  const items = subscription[Symbol.asyncIterator]();
  for (let i = 0; i < 3; i++) publish("a", "doc.noted");
  await settle();
  const read: [number, number | undefined][] = [];
  expect(position()).toBe(0);
  for (let i = 0; i < 3; i++) {
    const { value } = await items.next();
    read.push([value!.type === "event" ? value!.seq! : -1, position()]);
  }
  expect(read).toEqual([[1, 1], [2, 2], [3, 3]]);
  for (let i = 0; i < 2; i++) publish("a", "doc.noted");
  await settle();
  await items.next();
  // What was not read is to be read another time.
  subscription.close();
  expect([position(), subscription.isLive]).toEqual([4, false]);
});

test("it resumes after a lost connection with one frame, without a hole and without a repetition", async () => {
  const { open, fill, settle, reconnect, sockets } = setUp({ retention: { events: 1_000 } });
  const a = open("doc:a");
  await settle();
  fill(3);
  await settle();
  await reconnect(() => fill(900));
  fill(2);
  await settle();
  expect(a.numbers).toEqual(range(1, 905));
  expect(a.items.every(({ type }) => type === "event")).toBe(true);
  expect(sockets.sent[1]!.map((text) => JSON.parse(text).event)).toEqual(["subscribe"]);
});

test("what it missed before its first event is brought too", async () => {
  const { open, fill, settle, reconnect } = setUp();
  const a = open("doc:a");
  await settle();
  await reconnect(() => fill(3));
  await reconnect(() => fill(3));
  expect(a.numbers).toEqual(range(1, 6));
});

test("where the history does not reach back, the gap comes first and the state after it", async () => {
  const { open, fill, settle, reconnect } = setUp({
    retention: { events: 5 },
    snapshot: () => ({ n: "all" }),
  });
  const a = open("doc:a");
  await settle();
  expect(a.take()).toEqual([{
    type: "snapshot",
    channel: "doc:a",
    snapshot: { n: "all" },
    seq: 0,
    epoch: "e1",
  }]);
  await reconnect(() => fill(20));
  fill(1);
  await settle();
  expect(a.items).toMatchObject([
    { type: "gap", channel: "doc:a", from: 0, to: 20, cause: "history" },
    { type: "snapshot", channel: "doc:a", snapshot: { n: "all" }, seq: 20 },
    { type: "event", seq: 21 },
  ]);
});

test("a channel without history says after each loss that something may be missing", async () => {
  const { open, settle, reconnect, bench } = setUp();
  const cursor = open("cursor:a");
  await settle();
  bench.publish("cursor.moved", { doc_id: "a", n: 1 });
  await settle();
  await reconnect(() => bench.publish("cursor.moved", { doc_id: "a", n: 2 }));
  bench.publish("cursor.moved", { doc_id: "a", n: 3 });
  await settle();
  expect(cursor.items).toMatchObject([
    { type: "event", data: { n: 1 } },
    { type: "gap", cause: "ephemeral", from: 1, to: 2 },
    { type: "event", data: { n: 3 } },
  ]);
});

test("it begins where the application was another time, or with the newest events", async () => {
  const { open, fill, settle } = setUp();
  fill(9);
  const since = open("doc:a", { since: { epoch: "e1", seq: 6 } });
  const last = setUp();
  last.fill(9);
  const newest = last.open("doc:a", { last: 2 });
  await settle();
  await last.settle();
  expect(since.numbers).toEqual([7, 8, 9]);
  expect(newest.numbers).toEqual([8, 9]);
  expect(await newest.subscription.ready).toEqual({ position: { epoch: "e1", seq: 9 }, recovered: null });
});

test("the newest events of an empty channel are none, and what comes next is not lost", async () => {
  const { open, fill, settle, reconnect } = setUp();
  const a = open("doc:a", { last: 1 });
  await settle();
  await reconnect(() => fill(4));
  expect(a.numbers).toEqual([1, 2, 3, 4]);
});

test("a filter holds over connections, and its position stays young", async () => {
  const { open, publish, settle, reconnect } = setUp();
  const a = open("doc:a", { events: ["doc.noted"] });
  await settle();
  publish("a");
  publish("a", "doc.noted");
  await settle();
  await reconnect(() => {
    publish("a");
    publish("a", "doc.noted");
  });
  expect(a.numbers).toEqual([2, 4]);
});

test("a channel and the wildcard over it both bring the event", async () => {
  const { open, publish, settle } = setUp();
  const a = open("doc:a");
  const all = open("doc:*");
  await settle();
  publish("a");
  publish("b");
  await settle();
  expect([a.numbers, all.numbers]).toEqual([[1], [1, 2]]);
});

test("a wildcard that asks for the past gets also what a channel of it has brought before", async () => {
  const { open, publish, fill, settle } = setUp();
  const a = open("doc:a");
  await settle();
  fill(3);
  publish("b");
  await settle();
  const all = open("doc:*", { last: 3 });
  await settle();
  publish("a");
  await settle();
  expect([a.numbers, all.numbers]).toEqual([[1, 2, 3, 5], [2, 3, 4, 5]]);
});

test("closing ends the iteration and leaves the channel; leaving the loop closes", async () => {
  const { open, fill, settle, bench, client } = setUp();
  const a = open("doc:a");
  await settle();
  a.subscription.close();
  await a.done;
  await settle();
  expect(bench.hub.roomCount).toBe(0);
  const again = client.subscribe("doc:a");
  const looped = (async () => {
    for await (const item of again) return item;
  })();
  await settle();
  fill(1);
  await settle();
  expect(await looped).toMatchObject({ type: "event", seq: 1 });
  await settle();
  expect(bench.hub.roomCount).toBe(0);
});

test("a second subscription to the same channel is refused, as it would have to share", async () => {
  const { open, settle } = setUp();
  open("doc:a");
  expect(() => open("doc:a")).toThrow("Cannot subscribe to doc:a a second time");
  await settle();
});

test("a channel that the server refuses ends the iteration with its error, the others stay", async () => {
  const { open, fill, settle } = setUp();
  const bad = open("nowhere:1" as "doc:a");
  const wild = open("doc:*");
  const a = open("doc:a");
  await settle();
  await bad.done;
  expect(bad.error).toMatchObject({ name: "RequestError", code: "INVALID_CHANNEL" });
  await expect(bad.subscription.ready).rejects.toMatchObject({ code: "INVALID_CHANNEL" });
  fill(1);
  await settle();
  expect([a.numbers, wild.numbers]).toEqual([[1], [1]]);
});

test("an application that does not read is spared, and reads on where it was", async () => {
  const { client, fill, settle, bench } = setUp({ retention: { events: 1_000 } });
  const subscription = client.subscribe("doc:a", { bufferSize: 2_000 });
  await settle();
  fill(100);
  await settle();
  expect(bench.hub.roomCount).toBe(0);
  const a = reading(subscription as unknown as Subscription<Item>);
  for (let turn = 0; turn < 60; turn++) await settle();
  fill(3);
  await settle();
  expect(a.numbers).toEqual(range(1, 103));
});

test("what cannot be kept for it is told as a gap", async () => {
  const { client, fill, settle } = setUp({ retention: { events: 10 } });
  const subscription = client.subscribe("doc:a", { bufferSize: 2_000 });
  await settle();
  fill(100);
  await settle();
  const a = reading(subscription as unknown as Subscription<Item>);
  for (let turn = 0; turn < 20; turn++) await settle();
  const gap = a.items.findIndex(({ type }) => type === "gap");
  const before = a.items.slice(0, gap).map((item) => item.type === "event" ? item.seq : item);
  expect(before).toEqual(range(1, before.length));
  expect(a.items[gap]).toMatchObject({ cause: "history", from: before.length, to: 100 });
});

test("the client's end is the subscription's end", async () => {
  const { open, client, settle } = setUp();
  const a = open("doc:a");
  await settle();
  client.close();
  await a.done;
  expect(a.error).toBeUndefined();
  expect(() => client.subscribe("doc:b")).toThrow("Cannot subscribe to doc:b: the client is closed");
});

test("who stops between a gap and the state after it gets both again", async () => {
  const { client, fill, settle } = setUp({ retention: { events: 2 }, snapshot: () => ({ n: "all" }) });
  fill(9);
  const subscription = client.subscribe("doc:a", { since: { epoch: "e1", seq: 1 } });
  const items = subscription[Symbol.asyncIterator]();
  const first = items.next();
  await settle();
  expect((await first).value).toMatchObject({ type: "gap", from: 1, to: 9 });
  expect(subscription.position).toEqual({ epoch: "e1", seq: 1 });
  expect((await items.next()).value).toMatchObject({ type: "snapshot", seq: 9 });
  expect(subscription.position).toEqual({ epoch: "e1", seq: 9 });
});

/** What may happen to a client. */
type Step =
  | {
    readonly do: "open";
    readonly name: Name;
    readonly from: "now" | "last" | "since";
    readonly filter: boolean;
  }
  | { readonly do: "close"; readonly name: Name }
  | { readonly do: "publish"; readonly doc: string; readonly noted: boolean; readonly count: number }
  | { readonly do: "cut" | "away" | "wait" };
type Name = "doc:a" | "doc:b" | "doc:*";

const names = fc.constantFrom<Name>("doc:a", "doc:b", "doc:*");
const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("publish" as const),
        doc: fc.constantFrom("a", "b"),
        noted: fc.boolean(),
        count: fc.integer({ min: 1, max: 9 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("open" as const),
        name: names,
        from: fc.constantFrom("now" as const, "last" as const, "since" as const),
        filter: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("close" as const), name: names }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constantFrom("cut" as const, "away" as const, "wait" as const) }),
    },
  ),
  { minLength: 3, maxLength: 40 },
);

test(
  "whatever overlaps and breaks, each subscription has its channels in order, once, and every hole is told",
  async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (plan: Step[]) => {
        const world = setUp({ retention: { events: 12 } });
        const { bench, sockets } = world;
        const said: { doc: string; seq: number; noted: boolean }[] = [];
        const open = new Map<Name, { read: ReturnType<typeof reading>; from: number; filter: boolean }>();
        const over: {
          name: Name;
          read: ReturnType<typeof reading>;
          from: number;
          filter: boolean;
          whole: boolean;
        }[] = [];
        await world.settle();
        for (const step of plan) {
          if (step.do === "publish") {
            for (let i = 0; i < step.count; i++) {
              world.publish(step.doc, step.noted ? "doc.noted" : "doc.changed");
              said.push({ doc: step.doc, noted: step.noted, seq: bench.journal.head.seq });
            }
          } else if (step.do === "open") {
            if (open.has(step.name)) continue;
            const head = bench.journal.head.seq;
            const since = step.from === "since" ? { since: { epoch: "e1", seq: Math.max(0, head - 7) } } : {};
            const options = {
              ...since,
              ...step.from === "last" ? { last: 5 } : {},
              ...step.filter ? { events: ["doc.noted"] } : {},
            };
            const read = world.open(step.name, options);
            open.set(step.name, {
              read,
              from: step.from === "since" ? Math.max(0, head - 7) : -1,
              filter: step.filter,
            });
          } else if (step.do === "close") {
            const entry = open.get(step.name);
            if (!entry) continue;
            open.delete(step.name);
            over.push({ name: step.name, ...entry, whole: false });
            entry.read.subscription.close();
          } else if (step.do === "cut") sockets.links.at(-1)?.hangUp(1006);
          else if (step.do === "away") {
            sockets.reachable = !sockets.reachable;
            if (!sockets.reachable) sockets.links.at(-1)?.hangUp(1006);
          } else await bench.settle();
        }
        sockets.reachable = true;
        await back(bench);
        await world.settle();
        for (const [name, entry] of open) over.push({ name, ...entry, whole: true });
        for (const { name, read, from, filter, whole } of over) {
          for (const doc of name === "doc:*" ? ["a", "b"] : [name.slice(4)]) {
            const events = said.filter((event) => event.doc === doc && (!filter || event.noted)).map((
              { seq },
            ) => seq);
            const got = read.items.flatMap((item) =>
              item.type === "event" && item.channel === `doc:${doc}` ? [item.seq!] : []
            );
            expect(got, `order on ${doc} by ${name}`).toEqual([...new Set(got)].sort((a, b) => a - b));
            const gaps = read.items.flatMap((item) =>
              item.type === "gap" ? [[item.from!, item.to!]] as const : []
            );
            const first = from >= 0 ? from : (got[0] ?? Infinity) - 1;
            const last = whole ? Infinity : got.at(-1) ?? 0;
            const missing = events.filter((seq) => seq > first && seq <= last && !got.includes(seq));
            expect(
              missing.filter((seq) => !gaps.some(([a, b]) => seq > a && seq <= b)),
              `missing on ${doc} by ${name}`,
            ).toEqual([]);
          }
        }
      }),
      { numRuns: Number(process.env["CLIENT_RUNS"] ?? 300) },
    );
  },
  120_000,
);
