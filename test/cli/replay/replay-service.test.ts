/**
 * A replay is as fast as its readers: those that read what is sent late, and those that let go of their channel.
 */
import { afterEach, describe, expect, test } from "vitest";
import { ReplayServer } from "../../../src/cli/replay/replay-service.ts";
import type { Survey } from "../../../src/cli/replay/survey.ts";
import { createClient } from "../../../src/client/node.ts";
import { type Clock, wakefulClock } from "../../../src/ports/clock.ts";
import { silentLog } from "../../../src/ports/log.ts";
import type { RecordedEvent } from "../../../src/recording/record.ts";
import { detectRuntime } from "../../../src/runtimes/detect.ts";
import { HEADER } from "../../recording/header.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { StallingClient } from "../../support/stalling-client.ts";

const PATIENCE_MS = 120_000;

const SURVEY: Survey = {
  header: HEADER,
  ending: "end",
  kinds: new Map([["a", true]]),
  channels: new Set(["a:1"]),
  events: new Map([["a.happened", "a"]]),
  count: 0,
  gaps: 0,
  lastAt: 0,
  wanted: 0,
  last: null,
};

function batch(from: number, count: number, text = ""): RecordedEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    type: "event",
    channel: "a:1",
    event: "a.happened",
    id: String(from + index),
    data: { text },
    timestamp: "2026-01-01T00:00:00.000Z",
  }));
}

const open: ReplayServer[] = [];
afterEach(async () => {
  for (const { server } of open.splice(0)) await server.stop();
});

async function replayBy(clock: Clock): Promise<ReplayServer> {
  const replay = new ReplayServer({
    survey: SURVEY,
    runtime: await detectRuntime(),
    log: silentLog,
    clock,
    ports: { websocket: 0, http: 0 },
  });
  open.push(replay);
  await replay.server.start();
  return replay;
}

/** Let the process do what it has to do. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe("ReplayServer", { timeout: PATIENCE_MS }, () => {
  test("keeps what a reader has not read that let go of its channel", async () => {
    // More than the history holds.
    const count = 130_000;
    let looks = 0;
    let held: () => void = () => {};
    const isHeld = new Promise<void>((resolve) => held = resolve);
    const replay = await replayBy({
      ...wakefulClock,
      after(delayMs, work) {
        if (++looks === 100) held();
        return wakefulClock.after(delayMs, work);
      },
    });
    const client = createClient({ url: `ws://127.0.0.1:${replay.server.port}` });
    try {
      const subscription = client.subscribe("a:*", { bufferSize: 100_000 });
      await subscription.ready;
      const playing = (async () => {
        for (let from = 0; from < count; from += 100) {
          const events = batch(from, 100);
          replay.emit(events, 100 * 250);
          await replay.settled();
          looks = 0;
        }
        await replay.read();
      })();
      const ids: number[] = [];
      const gaps: unknown[] = [];
      for await (const item of subscription) {
        if (item.type === "gap") gaps.push(item);
        if (item.type === "event") ids.push(Number(item.id));
        // Nobody reads on before the replay waits for it, or is over.
        if (ids.length === 1) await Promise.race([isHeld, playing]);
        if (gaps.length > 0 || ids.at(-1) === count - 1) break;
      }
      expect(gaps).toEqual([]);
      expect(ids).toEqual(Array.from({ length: count }, (_, index) => index));
      await playing;
    } finally {
      client.close();
    }
  });

  test("waits for a connection that does not read, for five seconds, and does not end it", async () => {
    const clock = new FakeClock();
    const replay = await replayBy(clock);
    const reader = await StallingClient.open(replay.server.port);
    try {
      reader.send({ type: "subscribe", data: { channel: "a:*" } });
      await expect.poll(() => reader.frames.length, { timeout: 30_000 }).toBeGreaterThan(1);
      reader.stall();
      const text = "x".repeat(10_000);
      const connection = [...replay.server.connections.values()][0]!;
      // What the network takes is not known; it is less than this.
      let settled = Promise.resolve();
      let isSettled = true;
      for (let from = 0; isSettled && from < 20_000; from += 50) {
        isSettled = false;
        replay.emit(batch(from, 50, text), 50 * 10_250);
        settled = replay.settled().then(() => void (isSettled = true));
        for (let turns = 0; turns < 20 && !isSettled && clock.pending === 0; turns++) await turn();
      }
      expect([isSettled, clock.pending]).toEqual([false, 1]);
      expect(connection.outboundBytes).toBeGreaterThan(262_144);
      expect(connection.outboundBytes).toBeLessThan(1_048_576);
      for (let passed = 0; passed < 4_995; passed += 5) {
        clock.advance(5);
        await turn();
      }
      expect([isSettled, replay.server.connections.size]).toEqual([false, 1]);
      clock.advance(5);
      await settled;
      // Whoever reads again is not behind any more.
      reader.flow();
      await expect.poll(() => connection.outboundBytes, { timeout: 30_000 }).toBe(0);
      await replay.settled();
      expect(replay.server.connections.size).toBe(1);
    } finally {
      reader.end();
    }
  });
});
