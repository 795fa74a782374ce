import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FRAME_TYPES } from "../../src/protocol/envelope.ts";
import { createBench } from "../support/connection-bench.ts";

const names = fc.constantFrom(
  "subscribe",
  "unsubscribe",
  "ping",
  "auth",
  "refresh_token",
  "publish",
  "get_history",
  "get_presence",
  "get_status",
  "get_doc",
  "set_doc",
  "fail_now",
  "fail_later",
  "refuse",
  "cyclic",
  "cursor.moved",
  "doc.changed",
  "nothing",
  "__proto__",
  "",
);
const words = fc.constantFrom(
  "doc:a",
  "doc:*",
  "cursor:a",
  "feed",
  "feed:a",
  "global",
  "*",
  ":",
  "doc:",
  "a",
  "e1",
);
const value = fc.oneof(words, fc.jsonValue({ maxDepth: 2 }), fc.integer(), fc.string());
const since = fc.oneof(
  value,
  fc.record({ epoch: fc.oneof(words, value), seq: fc.oneof(fc.integer(), value) }),
);
const data = fc.oneof(
  value,
  fc.record(
    {
      channel: fc.oneof(words, value),
      room: value,
      since,
      last: fc.oneof(fc.integer(), value),
      limit: fc.oneof(fc.integer(), value),
      events: fc.oneof(fc.array(fc.string()), value),
      event: fc.oneof(names, value),
      data: fc.oneof(fc.record({ doc_id: value, n: value }), value),
      doc_id: fc.oneof(words, value),
      n: fc.oneof(fc.integer(), value),
      token: value,
      idempotency_key: value,
    },
    { requiredKeys: [] },
  ),
);
const frame = fc.record(
  {
    type: fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...FRAME_TYPES) }, {
      weight: 1,
      arbitrary: value,
    }),
    event: fc.oneof({ weight: 4, arbitrary: names }, { weight: 1, arbitrary: value }),
    data,
    room: fc.oneof(fc.constant(null), words, value),
    correlation_id: fc.option(fc.string()),
    traceparent: value,
  },
  { requiredKeys: ["type", "event"] },
);
const raw = fc.oneof(fc.string(), fc.uint8Array(), fc.json());
const message = fc.oneof({ weight: 9, arbitrary: frame }, { weight: 1, arbitrary: raw });

test("no frame ends a connection, and every request is answered once", async () => {
  const perConnection = 50;
  const batches = fc.array(message, { minLength: perConnection, maxLength: perConnection });
  let total = 0;
  await fc.assert(
    fc.asyncProperty(batches, async (messages) => {
      const bench = createBench({ settings: { channelsPerConnection: 4, correlation: "strict" } });
      const client = bench.connect();
      const asked: string[] = [];
      for (const [index, one] of messages.entries()) {
        total++;
        if (typeof one === "string" || one instanceof Uint8Array) client.send(one);
        else {
          // The id is how the answer is known, also of a frame that cannot be decoded.
          const id = `q${index}`;
          const { correlation_id: _, ...rest } = one;
          client.send({ ...rest, id, correlation_id: id });
          if (one.type === "request") asked.push(id);
        }
        if (index % 7 === 0) await bench.settle();
      }
      await bench.settle();
      await bench.settle();
      expect(client.close).toBeNull();
      const answers = new Map<string, number>();
      for (const { correlation_id: id } of client.frames) {
        if (id !== null) answers.set(id, (answers.get(id) ?? 0) + 1);
      }
      for (const id of asked) expect([id, answers.get(id)]).toEqual([id, 1]);
      for (const count of answers.values()) expect(count).toBe(1);
      client.take();
      expect((await bench.ask(client, { type: "ping", correlation_id: "end" })).at(-1)).toMatchObject({
        type: "pong",
      });
      client.hangUp();
      expect(bench.hub.roomCount).toBe(0);
      for (const { message, fields } of bench.logged) {
        if (message === "A request failed") {
          expect(String(fields.error)).toMatch(/hunter2|Cannot route event/);
        } else expect(["Client disconnected", "A frame could not be handled"]).toContain(message);
        if (message === "A frame could not be handled") expect(String(fields.error)).toMatch(/itself/);
      }
    }),
    { numRuns: 200 },
  );
  expect(total).toBeGreaterThanOrEqual(10_000);
}, 120_000);
