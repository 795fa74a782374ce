import { describe, expect, test } from "vitest";
import { createBench } from "../support/connection-bench.ts";

const join = { type: "subscribe", room: "doc:a" };

describe("Outbox", () => {
  test("Outbox joins the frames of one tick into one write", async () => {
    const bench = createBench();
    const client = bench.connect();
    await bench.ask(client, join);
    const before = client.socket.writes.length;
    for (let n = 0; n < 20; n++) bench.change("a", n);
    expect(client.socket.writes).toHaveLength(before);
    bench.clock.tick();
    expect(client.socket.writes.slice(before).map((frames) => frames.length)).toEqual([20]);
    bench.change("a", 20);
    bench.clock.tick();
    expect(client.socket.writes).toHaveLength(before + 2);
  });

  test("Outbox writes early at 256 KiB", async () => {
    const bench = createBench();
    const client = bench.connect();
    await bench.ask(client, { type: "subscribe", room: "global" });
    const start = client.socket.writes.length;
    for (let n = 0; n < 5; n++) {
      bench.publish("system.announcement", { message: "x".repeat(100_000) });
      expect(client.socket.writes.length - start).toBe(n < 2 ? 0 : 1);
    }
    bench.clock.tick();
    expect(client.socket.writes.slice(start).map((frames) => frames.length)).toEqual([3, 2]);
  });

  test("Outbox keeps a healthy reader through 5,000 events and 10 MB of one tick", async () => {
    const bench = createBench();
    const client = bench.connect();
    await bench.ask(client, { type: "subscribe", room: "global" });
    for (let n = 0; n < 5_000; n++) bench.publish("system.announcement", { message: "x".repeat(2_000) });
    expect(client.unread).toBeGreaterThan(9_000_000);
    await bench.settle();
    bench.publish("system.announcement", { message: "last" });
    await bench.settle();
    expect(client.close).toBeNull();
    expect(client.take()).toHaveLength(5_001);
  });

  test("Outbox holds against no reader what it is only about to take, however much comes in the next tick", async () => {
    const bench = createBench({ settings: { outboundQueueBytes: 100_000 } });
    const client = bench.connect();
    await bench.ask(client, { type: "subscribe", room: "global" });
    for (const sizes of [[200_000], [150_000, 150_000]]) {
      for (const size of sizes) bench.publish("system.announcement", { message: "x".repeat(size) });
      bench.clock.step();
    }
    await bench.settle();
    expect(client.close).toBeNull();
    expect(client.take()).toHaveLength(3);
  });

  test("Outbox closes with 4000 what was left over, kills it after 5 s, and never delays another", async () => {
    const bench = createBench();
    const [slow, other] = [bench.connect(), bench.connect()];
    for (const client of [slow, other]) await bench.ask(client, { type: "subscribe", room: "global" });
    slow.stall();
    const size = 100_000;
    let sent = 0;
    while (slow.close === null && sent < 30) {
      bench.publish("system.announcement", { message: "x".repeat(size) });
      sent++;
      bench.clock.tick();
      expect(other.take()).toHaveLength(1);
    }
    // The eleventh is the first that is over the limit, and is judged when the twelfth is to be written.
    expect(sent).toBe(12);
    expect(slow.close).toEqual({ code: 4000, reason: "Too slow: resume from your last position" });
    expect(slow.closeCalls).toBe(1);
    expect(bench.hub.audience("global")).toBe(1);
    bench.clock.advance(4_999);
    expect(slow.socket.terminated).toBe(false);
    expect(bench.connections.size).toBe(2);
    bench.clock.advance(1);
    expect(slow.socket.terminated).toBe(true);
    expect(bench.connections.size).toBe(1);
    expect(bench.closed).toHaveLength(1);
  });

  test("Outbox takes exactly its limit, and 0 is no limit", async () => {
    for (const [limit, alive] of [[0, true], [200_000, false], [400_000, true]] as const) {
      const bench = createBench({ settings: { outboundQueueBytes: limit } });
      const client = bench.connect();
      await bench.ask(client, { type: "subscribe", room: "global" });
      client.stall();
      for (let n = 0; n < 4; n++) {
        bench.publish("system.announcement", { message: "x".repeat(90_000) });
        bench.clock.tick();
      }
      expect(client.close === null).toBe(alive);
    }
  });

  test("Outbox that is closed while its reader is too slow closes once", async () => {
    const bench = createBench({ settings: { outboundQueueBytes: 1_000 } });
    const client = bench.connect();
    await bench.ask(client, { type: "subscribe", room: "global" });
    client.stall();
    bench.publish("system.announcement", { message: "x".repeat(5_000) });
    bench.clock.tick();
    bench.publish("system.announcement", { message: "more" });
    [...bench.connections.values()][0]!.end(1001, "Server is going away");
    expect(client.closeCalls).toBe(1);
    bench.clock.advance(10_000);
    expect(bench.closed).toHaveLength(1);
    expect(bench.clock.pending).toBe(0);
  });

  test("Outbox sends what is pending before the close frame, and nothing after it", async () => {
    const bench = createBench();
    const client = bench.connect();
    await bench.ask(client, join);
    bench.change("a", 1);
    [...bench.connections.values()][0]!.end(1001, "Server is going away");
    bench.change("a", 2);
    await bench.settle();
    expect(client.frames.map(({ data }) => data.n)).toEqual([undefined, 1]);
    expect(bench.logged.filter(({ message }) => message === "Client disconnected")).toHaveLength(1);
  });

  test("Outbox of a client that vanished is not judged", async () => {
    const bench = createBench({ settings: { outboundQueueBytes: 1_000 } });
    const client = bench.connect();
    await bench.ask(client, { type: "subscribe", room: "global" });
    client.stall();
    bench.publish("system.announcement", { message: "x".repeat(5_000) });
    bench.clock.tick();
    bench.publish("system.announcement", { message: "more" });
    client.hangUp();
    bench.clock.tick();
    expect(bench.logged.map(({ message }) => message)).toEqual(["Client disconnected"]);
    expect(client.closeCalls).toBe(0);
  });
});
