import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBench } from "../support/connection-bench.ts";

const ping = (id: number) => ({ type: "ping", id: String(id) });
const ids = (client: { frames: { correlation_id?: string }[] }) =>
  client.frames.map(({ correlation_id }) => Number(correlation_id));

describe("Inbox", () => {
  test("Inbox handles 64 frames a tick, pauses the socket for the rest, and keeps the order", () => {
    const bench = createBench();
    const client = bench.connect();
    let handled = 0;
    Object.assign(bench.host, { received: () => void handled++ });
    for (let id = 0; id < 64; id++) client.send(ping(id));
    expect([handled, client.socket.paused]).toEqual([64, false]);
    for (let id = 64; id < 200; id++) client.send(ping(id));
    expect([handled, client.socket.paused]).toEqual([64, true]);
    bench.clock.step();
    // The one that came before the socket was paused, and what the network then gave.
    expect(handled).toBe(128);
    bench.clock.step();
    expect(handled).toBe(192);
    bench.clock.tick();
    expect([handled, client.socket.paused]).toEqual([200, false]);
    expect(ids(client)).toEqual(Array.from({ length: 200 }, (_, id) => id));
  });

  test("Inbox of one busy client does not delay another", () => {
    const bench = createBench();
    const [busy, other] = [bench.connect(), bench.connect()];
    for (let id = 0; id < 1_000; id++) busy.send(ping(id));
    other.send(ping(1));
    bench.clock.step();
    bench.clock.step();
    expect(ids(other)).toEqual([1]);
    expect(busy.frames.length).toBeLessThan(200);
  });

  test("Connection ends with 1009 at a message over the limit in bytes, not at one of the limit", () => {
    const bench = createBench({ settings: { messageBytes: 100 } });
    const client = bench.connect();
    client.send("é".repeat(50));
    bench.clock.tick();
    expect(client.frames.at(-1)).toMatchObject({ error_code: "DECODE_ERROR" });
    client.send("é".repeat(50) + "x");
    bench.clock.tick();
    expect(client.close).toMatchObject({ code: 1009 });
  });

  test("Inbox without a limit handles all at once", () => {
    const bench = createBench({ settings: { framesPerTick: 0 } });
    const client = bench.connect();
    for (let id = 0; id < 500; id++) client.send(ping(id));
    expect(client.socket.paused).toBe(false);
  });

  test("Inbox keeps the order however frames, ticks and pauses fall", () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 150 }), { maxLength: 12 }), (bursts) => {
      const bench = createBench();
      const client = bench.connect();
      let sent = 0;
      for (const burst of bursts) {
        for (let n = 0; n < burst; n++) client.send(ping(sent++));
        bench.clock.step();
      }
      bench.clock.tick();
      expect(ids(client)).toEqual(Array.from({ length: sent }, (_, id) => id));
      expect(client.socket.paused).toBe(false);
    }));
  });

  test("Inbox reads again when the connection ends, so that the peer can close", () => {
    const bench = createBench();
    const client = bench.connect();
    for (let id = 0; id < 100; id++) client.send(ping(id));
    expect(client.socket.paused).toBe(true);
    [...bench.connections.values()][0]!.end(1001, "Server is going away");
    expect(client.socket.paused).toBe(false);
    bench.clock.tick();
    expect(client.socket.terminated).toBe(false);
    expect(bench.connections.size).toBe(0);
  });
});
