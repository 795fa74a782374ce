/**
 * Events of which only the newest per key matters, and readers that fall behind.
 *
 * @module
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Bench, createBench } from "../support/connection-bench.ts";
import type { LinkedClient, Received } from "../support/linked-socket.ts";

const join = (room: string, more: object = {}) => ({ type: "subscribe", data: { channel: room, ...more } });

/** More than may be left over before events are parked. */
const BURDEN = 70_000;

async function member(bench: Bench, ...rooms: string[]): Promise<LinkedClient> {
  const client = bench.connect();
  await bench.ask(client, ...rooms.map((room) => join(room)));
  return client;
}

function read(bench: Bench, name: string, n: number, more: { doc?: string; pad?: number } = {}): void {
  bench.publish("gauge.read", { doc_id: more.doc ?? "a", name, n, pad: "x".repeat(more.pad ?? 0) });
  bench.clock.tick();
}

/** Stop reading, with as much on the way that events are parked from now on. */
function overburden(bench: Bench, client: LinkedClient): void {
  client.stall();
  bench.publish("system.announcement", { message: "x".repeat(BURDEN) });
  bench.clock.tick();
  expect(client.unread).toBeGreaterThan(BURDEN);
}

const readings = (frames: Received[]) =>
  frames.filter(({ event }) => event === "gauge.read").map(({ data }) => `${data.name}${data.n}`);

const ledgerOf = (bench: Bench) => [...bench.connections.values()][0]!.ledger;

describe("Outbox, of a kind of which the latest counts,", () => {
  test("sends everything to who reads, also a burst of one tick", async () => {
    const bench = createBench();
    const client = await member(bench, "gauge:a");
    const writes = client.socket.writes.length;
    for (let n = 0; n < 500; n++) {
      bench.publish("gauge.read", { doc_id: "a", name: "one", n, pad: "x".repeat(200) });
    }
    bench.clock.tick();
    expect(client.socket.writes).toHaveLength(writes + 1);
    expect(readings(client.take())).toHaveLength(500);
    expect(ledgerOf(bench)).toMatchObject({ events: 500, folded: 0 });
  });

  test("sends who is behind the newest of each key, in the order of the newest, when there is room", async () => {
    const bench = createBench();
    const client = await member(bench, "gauge:a", "global");
    overburden(bench, client);
    for (const [n, name] of ["p", "q", "p", "r", "q"].entries()) read(bench, name, n);
    bench.clock.advance(1_000);
    expect(client.unread).toBeLessThan(BURDEN + 1_000);
    client.flow();
    expect(readings(client.take())).toEqual([]);
    bench.clock.advance(15);
    expect(readings(client.take())).toEqual(["p2", "r3", "q4"]);
    expect(ledgerOf(bench)).toMatchObject({ events: 4, folded: 2 });
    read(bench, "p", 5);
    expect(readings(client.take())).toEqual(["p5"]);
    expect(client.close).toBeNull();
  });

  test("keeps a reader that takes nothing of 20 MB, in bounded memory", async () => {
    const bench = createBench();
    const [client, other] = [await member(bench, "gauge:a"), await member(bench, "gauge:a")];
    client.stall();
    for (let n = 0; n < 20_000; n++) read(bench, `key ${n % 50}`, n, { pad: 1_000 });
    expect(readings(other.take())).toHaveLength(20_000);
    expect(client.close).toBeNull();
    const connection = [...bench.connections.values()][0]!;
    expect(connection.outboundBytes).toBeLessThan(65_536 + 51 * 1_500);
    client.flow();
    bench.clock.advance(100);
    const got = client.take().map(({ seq }) => seq as number);
    expect(got.slice(-50)).toEqual(Array.from({ length: 50 }, (_, i) => 19_951 + i));
    expect(connection.ledger.folded).toBe(20_000 - got.length);
    expect(connection.ledger.highestQueueBytes).toBeLessThan(65_536 + 51 * 1_500);
    expect(connection.outboundBytes).toBe(0);
  });

  test("never closes for a burst of one tick, however large, and parks what follows", async () => {
    const bench = createBench();
    const client = await member(bench, "gauge:a", "global");
    client.stall();
    for (let n = 0; n < 30; n++) {
      bench.publish("gauge.read", { doc_id: "a", name: "one", n, pad: "x".repeat(100_000) });
    }
    bench.clock.tick();
    expect(client.unread).toBeGreaterThan(3_000_000);
    for (let n = 30; n < 40; n++) read(bench, "one", n);
    bench.publish("system.announcement", { message: "still there" });
    bench.clock.tick();
    expect(client.close).toBeNull();
    client.flow();
    bench.clock.advance(15);
    expect(readings(client.take())).toHaveLength(31);
  });

  test("closes with 4000 where too many keys are parked, and nothing is lost to who comes back", async () => {
    const bench = createBench({ settings: { outboundQueueBytes: 200_000 }, retention: { events: 1_000 } });
    const client = await member(bench, "gauge:a", "global");
    overburden(bench, client);
    let n = 0;
    while (client.close === null && n < 300) read(bench, `key ${n++}`, n, { pad: 1_000 });
    expect(client.close).toMatchObject({ code: 4000 });
    expect(n).toBeGreaterThan(90);
    expect(ledgerOf(bench).ended).toBe(n);
    bench.clock.advance(10_000);
    expect(bench.clock.pending).toBe(0);
    const again = bench.connect();
    const frames = await bench.ask(again, join("gauge:a", { since: { epoch: "e1", seq: 0 } }));
    expect(frames[0]!.data.recovered).toBe(true);
    expect(readings(frames)).toHaveLength(n);
  });

  test("takes up to what a full queue may hold, and any number where there is no limit", async () => {
    const bench = createBench({ settings: { outboundQueueBytes: 0 } });
    const client = await member(bench, "gauge:a", "global");
    overburden(bench, client);
    for (let n = 0; n < 2_000; n++) read(bench, `key ${n}`, n, { pad: 1_000 });
    expect(client.close).toBeNull();
    client.flow();
    bench.clock.advance(2_000);
    expect(readings(client.take())).toHaveLength(2_000);
  });

  test("lets other kinds overtake what is parked, and closes for those as ever", async () => {
    const bench = createBench();
    const client = await member(bench, "gauge:a", "global");
    overburden(bench, client);
    read(bench, "p", 1);
    for (let n = 0; n < 15 && client.close === null; n++) overburden(bench, client);
    expect(client.close).toMatchObject({ code: 4000 });
    // One that is read before it is over the limit.
    const reader = await member(bench, "gauge:a", "global");
    overburden(bench, reader);
    read(bench, "p", 2);
    overburden(bench, reader);
    reader.flow();
    bench.clock.advance(15);
    expect(reader.take().map(({ event }) => event)).toEqual([
      "system.announcement",
      "system.announcement",
      "gauge.read",
    ]);
  });

  test("does not count a replay as falling behind", async () => {
    const bench = createBench();
    for (let n = 0; n < 40; n++) bench.publish("feed.posted", { when: "x".repeat(n) });
    for (let n = 0; n < 4; n++) bench.publish("system.announcement", { message: "x".repeat(50_000) });
    await bench.settle();
    const client = await member(bench, "gauge:a");
    client.stall();
    await bench.ask(client, join("global", { last: 4 }));
    expect(client.unread).toBeGreaterThan(200_000);
    for (let n = 0; n < 10; n++) read(bench, "p", n);
    client.flow();
    expect(readings(client.take())).toHaveLength(10);
  });

  test("looks after all parked events with one timer, and with none where there are none", async () => {
    const bench = createBench();
    const clients = [];
    for (let n = 0; n < 5; n++) clients.push(await member(bench, "gauge:a", "global"));
    expect(bench.clock.pending).toBe(0);
    for (const client of clients) client.stall();
    bench.publish("system.announcement", { message: "x".repeat(BURDEN) });
    bench.clock.tick();
    read(bench, "p", 1);
    expect(bench.clock.pending).toBe(1);
    clients[0]!.hangUp();
    for (const client of clients.slice(1, 4)) client.flow();
    bench.clock.advance(15);
    expect(clients.map((client) => readings(client.take()).length)).toEqual([0, 1, 1, 1, 0]);
    expect(bench.clock.pending).toBe(1);
    clients[4]!.flow();
    bench.clock.advance(15);
    expect(readings(clients[4]!.take())).toEqual(["p1"]);
    expect(bench.clock.pending).toBe(0);
  });

  test("writes what is parked before the close frame, and counts what a lost client did not get", async () => {
    const bench = createBench();
    const [client, lost] = [
      await member(bench, "gauge:a", "global"),
      await member(bench, "gauge:a", "global"),
    ];
    client.stall();
    overburden(bench, lost);
    for (let n = 0; n < 3; n++) read(bench, `key ${n}`, n);
    const [first, second] = [...bench.connections.values()];
    first!.end(1001, "Server is going away");
    client.flow();
    expect(readings(client.take())).toEqual(["key 00", "key 11", "key 22"]);
    lost.hangUp();
    expect([first!.ledger.ended, second!.ledger.ended]).toEqual([0, 3]);
    bench.clock.advance(5_000);
    const ends = bench.logged.filter(({ message }) => message === "Client disconnected");
    expect(ends.map(({ fields }) => [fields.sent, fields.unsent])).toEqual([[1, 3], [4, 0]]);
  });

  test("sends what is parked before a subscribe or an unsubscribe is answered", async () => {
    for (const type of ["subscribe", "unsubscribe"]) {
      for (const room of ["gauge:a", "gauge:*"]) {
        const bench = createBench();
        const client = await member(bench, "gauge:a", "global");
        if (room === "gauge:*") await bench.ask(client, join(room));
        overburden(bench, client);
        read(bench, "p", 1);
        read(bench, "p", 2);
        await bench.ask(client, { type, room });
        client.flow();
        bench.clock.advance(15);
        expect(client.take().map(({ event, type }) => type === "event" ? event : type)).toEqual([
          "system.announcement",
          "gauge.read",
          "ack",
        ]);
      }
    }
  });

  test("closes for a client that subscribes again and again and never reads", async () => {
    const bench = createBench();
    const client = await member(bench, "gauge:a", "global");
    overburden(bench, client);
    for (let n = 0; n < 100 && client.close === null; n++) {
      for (let key = 0; key < 50; key++) read(bench, `key ${key}`, n, { pad: 1_000 });
      await bench.ask(client, join("gauge:a"));
    }
    expect(client.close).toMatchObject({ code: 4000 });
    expect(client.unread).toBeLessThan(1_300_000);
    expect(bench.hub.audience("gauge:a")).toBe(0);
  });

  test("sends what is parked before a replay that repeats it, and live events after it", async () => {
    const bench = createBench();
    const client = await member(bench, "gauge:a", "global");
    overburden(bench, client);
    for (let n = 1; n <= 3; n++) read(bench, "p", n);
    await bench.ask(client, join("gauge:a", { since: { epoch: "e1", seq: 0 } }));
    client.flow();
    bench.clock.advance(15);
    await bench.settle();
    read(bench, "p", 4);
    expect(readings(client.take())).toEqual(["p3", "p1", "p2", "p3", "p4"]);
  });

  test("parks an event that waited for the answer to its own request", async () => {
    const bench = createBench();
    const client = await member(bench, "gauge:a", "global");
    overburden(bench, client);
    const data = { doc_id: "a", name: "p", n: 1 };
    await bench.ask(client, { type: "request", event: "read_and_wait", data, id: "q" });
    read(bench, "p", 2);
    read(bench, "q", 3);
    bench.state.gates[0]!();
    await bench.settle();
    client.flow();
    bench.clock.advance(15);
    expect(client.take().map(({ type, data }) => type === "event" ? data.n : type)).toEqual([
      undefined,
      "response",
      2,
      3,
    ]);
    expect(ledgerOf(bench).folded).toBe(1);
  });

  test("tells no position while events that are older are parked", async () => {
    const bench = createBench();
    const client = await member(bench, "global");
    await bench.ask(client, join("gauge:a", { events: ["gauge.read"] }));
    overburden(bench, client);
    read(bench, "p", 1);
    const connection = [...bench.connections.values()][0]!;
    const subscription = bench.hub.subscriptions(connection).get("gauge:a")!;
    connection.position(subscription, 9);
    expect(subscription.unseen).toBe(9);
    client.flow();
    bench.clock.advance(15);
    expect(client.take().map(({ event }) => event)).toEqual(["system.announcement", "gauge.read"]);
    connection.position(subscription, 9);
    bench.clock.tick();
    expect(client.take()).toMatchObject([{ event: "position", seq: 9 }]);
  });

  test("shows every reader each channel in order, without a repetition, up to the newest of each key", async () => {
    const event = fc.record({
      doc: fc.constantFrom("a", "b"),
      name: fc.constantFrom("p", "q", "r"),
      pad: fc.constantFrom(0, 500, 30_000),
    });
    const step = fc.oneof(
      { weight: 5, arbitrary: event.map((value) => ({ event: value })) },
      { weight: 1, arbitrary: fc.nat(90_000).map((value) => ({ read: value })) },
      { weight: 1, arbitrary: fc.nat(40).map((value) => ({ advance: value })) },
      { weight: 1, arbitrary: fc.constant({ tick: true }) },
    );
    let folded = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120 }), async (steps) => {
        const bench = createBench();
        const client = await member(bench, "gauge:a", "gauge:*", "global");
        client.take();
        client.stall();
        const newest = new Map<string, number>();
        let n = 0;
        for (const step of steps) {
          if ("event" in step) {
            const { doc, name, pad } = step.event;
            bench.publish("gauge.read", { doc_id: doc, name, n: ++n, pad: "x".repeat(pad) });
            newest.set(`gauge:${doc} ${name}`, n);
          } else if ("read" in step) client.read(step.read);
          else if ("advance" in step) bench.clock.advance(step.advance);
          else bench.clock.tick();
        }
        bench.clock.tick();
        client.flow();
        bench.clock.advance(1_000);
        const frames = client.take();
        const ledger = ledgerOf(bench);
        expect(client.close).toBeNull();
        for (const room of ["gauge:a", "gauge:b"]) {
          const seqs = frames.filter((frame) => frame.room === room).map(({ seq }) => seq as number);
          expect(seqs).toEqual([...new Set(seqs)].sort((one, two) => one - two));
        }
        const last = new Map(frames.map(({ room, data }) => [`${room} ${data.name}`, data.n as number]));
        expect(last).toEqual(newest);
        expect(frames.length + ledger.folded).toBe(n);
        expect(ledger).toMatchObject({ events: frames.length, ended: 0 });
        folded += ledger.folded;
      }),
      { numRuns: 300 },
    );
    expect(folded).toBeGreaterThan(100);
  });
});
