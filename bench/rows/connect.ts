/**
 * Clients that connect and join a channel, 50 at a time.
 *
 * @module
 */
import { figuresOf, type Told } from "../results.ts";
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
      const wish = { channel: "feed", count: COUNT, atOnce: 50 };
      return figuresOf(COUNT, await fielded.order<Told>("connect", wish));
    },
  }],
});
