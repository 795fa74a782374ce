/**
 * Replays beside other things that are under way: each of these was found by the model of `test/delivery`.
 */
import { describe, expect, it } from "vitest";
import type { Broker } from "../../src/broker/broker.ts";
import type { SequencedEvent } from "../../src/protocol/event.ts";
import { createBench } from "../support/connection-bench.ts";
import type { Received } from "../support/linked-socket.ts";

const since = (seq: number) => ({ since: { epoch: "e1", seq } });

/** Events and gaps in short: `doc:a 3`, `gap doc:a 0-2`. */
function told(frames: readonly Received[]): string[] {
  return frames.filter(({ type, seq }) => type === "event" && seq !== undefined).map((
    { event, room, seq, data },
  ) => event === "gap" ? `gap ${room} ${data.from}-${data.to}` : `${room} ${seq}`);
}

describe("replay of one of two subscriptions that share a channel", () => {
  it("tells the other one too of a gap that it meets", async () => {
    const bench = createBench({ retention: { events: 2 } });
    const client = bench.connect();
    client.request("subscribe", { channel: "doc:a" }, "direct");
    client.request("subscribe", { channel: "doc:*", ...since(0) }, "wildcard");
    for (let n = 1; n <= 4; n++) bench.change("a", n);
    await bench.settle();
    expect(told(client.frames)).toEqual(["gap doc:* 0-2", "gap doc:a 0-2", "doc:a 3", "doc:a 4"]);
  });

  it("leaves to the other one what it has given up itself", async () => {
    const bench = createBench({ retention: { events: 2 } });
    const client = bench.connect();
    client.request("subscribe", { channel: "doc:*", ...since(0) }, "wildcard");
    client.request("subscribe", { channel: "doc:a", ...since(0) }, "direct");
    bench.change("a", 1);
    for (let n = 2; n <= 4; n++) bench.change("b", n);
    await bench.settle();
    expect(told(client.frames)).toEqual(["gap doc:* 0-2", "doc:b 3", "doc:b 4", "doc:a 1"]);
  });

  // Held back meanwhile, the channel's events came after later ones of others.
  it("is not needed where a wildcard has brought everything since", async () => {
    const read: string[] = [];
    const bench = createBench({
      broker: (inner) =>
        Object.create(inner, {
          position: { get: () => inner.position },
          evicted: { value: inner.evicted.bind(inner) },
          tail: { value: inner.tail.bind(inner) },
          read: {
            value: (...given: Parameters<Broker["read"]>) => {
              read.push(JSON.stringify(given[0]));
              return inner.read(...given);
            },
          },
        }),
    });
    const client = bench.connect();
    client.request("subscribe", { channel: "doc:*" }, "wildcard");
    bench.change("a", 1);
    bench.change("b", 2);
    await bench.settle();
    client.request("subscribe", { channel: "doc:a", ...since(1) }, "direct");
    bench.change("a", 3);
    bench.change("b", 4);
    await bench.settle();
    expect(told(client.frames)).toEqual(["doc:a 1", "doc:b 2", "doc:a 3", "doc:b 4"]);
    expect(read).toEqual([]);
  });

  it("goes behind an event that waits for an answer", async () => {
    const bench = createBench();
    const client = bench.connect();
    client.request("subscribe", { channel: "doc:*" }, "wildcard");
    client.request("subscribe", { channel: "doc:a", ...since(0) }, "direct");
    client.request("set_and_wait", { doc_id: "b", n: 1 });
    await Promise.resolve();
    for (let turn = 0; bench.journal.head.seq === 0 && turn < 50; turn++) await Promise.resolve();
    bench.change("a", 2);
    await bench.settle();
    expect(told(client.frames)).toEqual([]);
    for (const open of bench.state.gates) open();
    await bench.settle();
    expect(told(client.frames)).toEqual(["doc:b 1", "doc:a 2"]);
  });
});

describe("replay from a history that is ahead of what the broker has brought", () => {
  function createLate() {
    let seq = 0;
    const late = (inner: Broker): Broker =>
      Object.create(inner, {
        position: { get: () => ({ epoch: "e1", seq }) },
        read: { value: inner.read.bind(inner) },
        evicted: { value: inner.evicted.bind(inner) },
        tail: { value: inner.tail.bind(inner) },
      });
    const bench = createBench({ broker: late });
    const events: SequencedEvent[] = [];
    bench.broker.subscribe((event) => void events.push(event));
    for (let n = 1; n <= 3; n++) bench.change("a", n);
    return {
      ...bench,
      bring(upTo: number): void {
        for (const event of events.slice(seq, upTo)) {
          seq = event.seq;
          bench.hub.deliver(event, undefined);
        }
      },
    };
  }

  it("brings each event once", async () => {
    const bench = createLate();
    bench.bring(1);
    const client = bench.connect();
    client.request("subscribe", { channel: "doc:a", ...since(0) });
    await bench.settle();
    expect(told(client.frames)).toEqual(["doc:a 1"]);
    bench.bring(3);
    await bench.settle();
    expect(told(client.frames)).toEqual(["doc:a 1", "doc:a 2", "doc:a 3"]);
  });

  it("leaves nothing out where the last ones are asked for", async () => {
    const bench = createLate();
    bench.bring(1);
    const client = bench.connect();
    client.request("subscribe", { channel: "doc:a", last: 1 });
    await bench.settle();
    bench.bring(3);
    await bench.settle();
    expect(told(client.frames)).toEqual(["doc:a 2", "doc:a 3"]);
  });
});
