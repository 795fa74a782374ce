import { describe, expect, test } from "vitest";
import { createBench } from "../support/connection-bench.ts";

const settings = { messageRate: 2, messageBurst: 3 };
const ping = (id: number) => ({ type: "ping", id: String(id) });

describe("Connection and its rate", () => {
  test("the frame over the burst is dropped and told when to come again", async () => {
    const bench = createBench({ settings });
    const client = bench.connect();
    const frames = await bench.ask(client, ping(1), ping(2), ping(3), ping(4));
    expect(frames.map(({ type }) => type)).toEqual(["pong", "pong", "pong", "error"]);
    expect(frames[3]).toMatchObject({
      event: null,
      error_code: "RATE_LIMIT_EXCEEDED",
      error_message: "Message rate limit exceeded. Retry after 0.500 seconds.",
      correlation_id: "4",
    });
    bench.clock.advance(499);
    expect((await bench.ask(client, ping(5)))[0]!.error_message).toContain("Retry after 0.001 seconds");
    bench.clock.advance(1);
    expect((await bench.ask(client, ping(6)))[0]!.type).toBe("pong");
  });

  test("what cannot be decoded counts, and a rate of 0 is no limit", async () => {
    const bench = createBench({ settings });
    const frames = await bench.ask(bench.connect(), "{", "{", "{", "{");
    expect(frames.map(({ error_code }) => error_code))
      .toEqual(["DECODE_ERROR", "DECODE_ERROR", "DECODE_ERROR", "RATE_LIMIT_EXCEEDED"]);
    const free = createBench();
    expect(await free.ask(free.connect(), ...Array.from({ length: 300 }, (_, index) => ping(index))))
      .toHaveLength(300);
  });

  test("ten seconds of abuse end with 4500, once; a pause starts anew", () => {
    const bench = createBench({ settings });
    const client = bench.connect();
    const abuse = (seconds: number) => {
      for (let step = 0; step < seconds * 4; step++) {
        for (let id = 0; id < 10; id++) client.send(ping(id));
        bench.clock.advance(250);
      }
    };
    abuse(9);
    bench.clock.advance(1_500);
    abuse(10);
    expect(client.close).toBeNull();
    abuse(1);
    expect(client.close).toEqual({ code: 4500, reason: "Message rate abused" });
    expect(client.closeCalls).toBe(1);
    expect(bench.connections.size).toBe(0);
  });
});
