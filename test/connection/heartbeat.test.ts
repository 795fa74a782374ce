import { describe, expect, test } from "vitest";
import { Heartbeat, type Pulse } from "../../src/connection/heartbeat.ts";
import { createBench } from "../support/connection-bench.ts";
import { FakeClock } from "../support/fake-clock.ts";

describe("Heartbeat", () => {
  test("Heartbeat pings who is silent for 25 s, and drops who does not answer for 20 s", () => {
    const bench = createBench();
    const [alive, gone] = [bench.connect(), bench.connect()];
    gone.answersPings = false;
    bench.heartbeat();
    bench.clock.advance(24_000);
    expect([alive.socket.pings, gone.socket.pings]).toEqual([0, 0]);
    bench.clock.advance(1_000);
    expect([alive.socket.pings, gone.socket.pings]).toEqual([1, 1]);
    bench.clock.advance(19_000);
    expect(gone.close).toBeNull();
    bench.clock.advance(1_000);
    expect(gone.close).toEqual({ code: 1011, reason: "No answer to ping" });
    expect(gone.socket.terminated).toBe(true);
    bench.clock.advance(600_000);
    expect(alive.close).toBeNull();
    expect(alive.socket.pings).toBeGreaterThan(20);
    expect(bench.closed).toHaveLength(1);
  });

  test("Heartbeat takes any frame for a sign of life", () => {
    const bench = createBench();
    const client = bench.connect();
    client.answersPings = false;
    bench.heartbeat();
    for (let n = 0; n < 10; n++) {
      bench.clock.advance(20_000);
      client.send("{");
    }
    expect(client.socket.pings).toBe(0);
    bench.clock.advance(26_000);
    client.send({ type: "ping" });
    bench.clock.advance(21_000);
    expect(client.close).toBeNull();
  });

  test("Heartbeat of 0 never pings", () => {
    const bench = createBench();
    const client = bench.connect();
    bench.heartbeat(0);
    bench.clock.advance(600_000);
    expect(client.socket.pings).toBe(0);
  });

  test("Heartbeat leaves a client alone whose frames wait to be read", async () => {
    const bench = createBench({ secret: "s", verify: () => new Promise(() => {}) });
    const client = bench.connect();
    client.request("auth", { token: "t" });
    client.send({ type: "ping" });
    await bench.settle();
    expect(client.socket.paused).toBe(true);
    bench.heartbeat();
    bench.clock.advance(300_000);
    expect(client.close).toBeNull();
  });

  /** A clock whose timers come late when the loop stands still, as a machine's do. */
  class StallingClock extends FakeClock {
    late = 0;
    override monotonic(): number {
      return super.monotonic() + this.late;
    }
  }

  function pulse(clock: FakeClock): Pulse & { dropped: boolean; pings: number } {
    return {
      lastAlive: clock.monotonic(),
      pingedAt: null,
      dropped: false,
      pings: 0,
      ping() {
        this.pings++;
        return true;
      },
      dead() {
        this.dropped = true;
      },
      sweep() {},
    };
  }

  test("Heartbeat drops nobody for the time in which the event loop stood still", () => {
    const clock = new StallingClock();
    const [waiting, answered, dead] = [pulse(clock), pulse(clock), pulse(clock)];
    new Heartbeat(clock, { intervalMs: 25_000, timeoutMs: 20_000 }, [waiting, answered, dead]).start();
    clock.advance(25_000);
    clock.advance(500);
    answered.lastAlive = clock.monotonic();
    clock.late = 120_000;
    clock.advance(500);
    expect([waiting, answered, dead].map(({ dropped }) => dropped)).toEqual([false, false, false]);
    clock.advance(1_000);
    expect(answered.pings).toBe(2);
    for (const one of [waiting, answered]) one.lastAlive = clock.monotonic();
    for (let second = 0; second < 60; second++) {
      clock.advance(1_000);
      // Who is pinged answers at once.
      for (const one of [waiting, answered]) {
        if (one.pingedAt === clock.monotonic()) one.lastAlive = clock.monotonic();
      }
    }
    expect([waiting, answered, dead].map(({ dropped }) => dropped)).toEqual([false, false, true]);
  });

  test("Heartbeat trusts a runtime that pings by itself", () => {
    const clock = new FakeClock();
    const one = { ...pulse(clock), ping: () => false };
    const heartbeat = new Heartbeat(clock, { intervalMs: 25_000, timeoutMs: 20_000 }, [one]);
    heartbeat.start();
    heartbeat.start();
    expect(clock.pending).toBe(1);
    clock.advance(600_000);
    expect(one.dropped).toBe(false);
    heartbeat.stop();
    expect(clock.pending).toBe(0);
  });
});
