/**
 * Clients that connect and join a channel, 50 at a time.
 *
 * @module
 */
import { fieldSuite } from "../suite.ts";

export const CONNECT_ROW = "connect and join, 50 at a time";

const COUNT = 2_000;

export const connect = fieldSuite({
  name: "connect",
  subjects: ["node", "ws", "socketIo", "bun", "bunPublish", "deno", "denoLoop", "pythonLoop"],
  field: { subscribers: 0, publishers: 0 },
  cases: [{
    row: CONNECT_ROW,
    async measure(fielded) {
      const { cpuMs, elapsedMs, p50, p99, p999 } = await fielded.order<
        { elapsedMs: number; p50: number; p99: number; p999: number }
      >("connect", { channel: "feed", count: COUNT, atOnce: 50 });
      return { perSecond: COUNT / elapsedMs * 1_000, cpuUs: cpuMs * 1_000 / COUNT, p50, p99, p999 };
    },
  }],
});
