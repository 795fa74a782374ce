import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openRecord } from "../../src/recording/read-record.ts";
import { formatLine } from "../../src/recording/record-line.ts";
import {
  RECORD_FORMAT,
  RECORD_VERSION,
  type RecordEntry,
  RecordError,
  type RecordHeader,
} from "../../src/recording/record.ts";
import { bytesOf, pieces } from "./pieces.ts";

const HEADER: RecordHeader = {
  format: RECORD_FORMAT,
  version: RECORD_VERSION,
  service: "crackerjack",
  url: "ws://127.0.0.1:8686/",
  channels: ["test:*"],
  started_at: "2026-01-01T00:00:00.000Z",
  epoch: "abc",
};

const EVENT: RecordEntry = {
  at: 12.5,
  type: "event",
  channel: "test:1",
  event: "test.started",
  id: "0b0c",
  data: { run_id: "1" },
  timestamp: "2026-01-01T00:00:00.010Z",
  seq: 7,
  prev: 3,
  epoch: "abc",
};

async function read(bytes: Uint8Array, sizes?: readonly number[]) {
  const record = await openRecord(pieces(bytes, sizes), "a.ndjson");
  const entries: RecordEntry[] = [];
  for await (const entry of record.entries()) entries.push(entry);
  return { header: record.header, entries, ending: record.ending };
}

const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const name = fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" });
const data = fc.dictionary(name, fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<never>);
const item = fc.oneof(
  fc.record({
    type: fc.constant("event" as const),
    channel: name,
    event: name,
    id: fc.uuid(),
    data,
    timestamp: fc.string(),
  }),
  fc.record({
    type: fc.constant("event" as const),
    channel: name,
    event: name,
    id: fc.uuid(),
    data: data.map((more) => ({ ...more, large: 2n ** 64n })),
    timestamp: fc.string(),
    seq: count,
    prev: count,
    epoch: name,
  }),
  fc.record({
    type: fc.constant("gap" as const),
    channel: name,
    from: fc.option(count),
    to: fc.option(count),
    cause: name,
  }),
  fc.record({
    type: fc.constant("snapshot" as const),
    channel: name,
    snapshot: data,
    seq: count,
    epoch: name,
  }),
  fc.record({
    type: fc.constant("connection" as const),
    state: fc.constantFrom("lost" as const, "restored" as const),
  }),
);
const entries = fc.array(fc.tuple(fc.double({ min: 0, max: 1e6, noNaN: true }), item), { maxLength: 12 })
  .map((pairs) => {
    let at = 0;
    // -0 is written as 0.
    return pairs.map(([step, body]): RecordEntry => ({ at: (at += step) + 0, ...body }));
  });
/** As JSON keeps them, and integers that doubles do not hold as their digits. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, part) => {
    const isLong = typeof part === "bigint" || (typeof part === "number" && !Number.isSafeInteger(part));
    return isLong && /^-?\d+$/.test(String(part)) ? `${part}n` : part;
  }));
const textOf = (list: readonly RecordEntry[]) => formatLine(HEADER) + list.map(formatLine).join("");

describe("openRecord()", () => {
  test("reads what formatLine() has written, whatever it holds and in whatever pieces it comes", async () => {
    await fc.assert(
      fc.asyncProperty(
        entries,
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        async (list, sizes) => {
          const found = await read(bytesOf(textOf(list)), sizes);
          expect(found.header).toEqual(HEADER);
          expect(plain(found.entries)).toEqual(plain(list));
          expect(found.ending).toBe("cut");
        },
      ),
      { numRuns: 200 },
    );
  });

  test("reads a beginning of a record that was cut anywhere behind its header", async () => {
    await fc.assert(
      fc.asyncProperty(entries, fc.nat(), async (list, choice) => {
        const whole = bytesOf(textOf(list));
        const least = bytesOf(formatLine(HEADER)).length;
        const cut = least + choice % (whole.length - least + 1);
        const found = await read(whole.subarray(0, cut), [17]);
        const expected = list.slice(0, found.entries.length);
        expect(plain(found.entries)).toEqual(plain(expected));
        // Every line whose newline is there is told of; one that lacks only that may be.
        const lines = new TextDecoder().decode(whole.subarray(0, cut)).split("\n").length - 2;
        expect(found.entries.length - lines === 0 || found.entries.length - lines === 1).toBe(true);
        expect(found.ending).toBe("cut");
      }),
      { numRuns: 200 },
    );
  });

  test("knows a record that was ended in order", async () => {
    const end: RecordEntry = { at: 20, type: "end", reason: "stopped", events: 1 };
    expect(await read(bytesOf(textOf([EVENT, end])))).toEqual({
      header: HEADER,
      entries: [EVENT, end],
      ending: "end",
    });
  });

  test("passes over members that it does not know", async () => {
    const { entries: [found] } = await read(bytesOf(textOf([{ ...EVENT, novel: 1 } as RecordEntry])));
    expect(found).toEqual(EVENT);
  });

  test.each([
    ["", /^a\.ndjson: expected a record, got an empty file$/],
    [
      "hello\n",
      /^a\.ndjson:1: expected a header like \{"format":"mcp-realtime-record".*got what is no JSON$/,
    ],
    ["[]\n", /^a\.ndjson:1: .*got JSON that is no object$/],
    [`{"type":"event"}\n`, /^a\.ndjson:1: .*got another JSON object: this is no record$/],
    [formatLine({ ...HEADER, version: 2 }), /^a\.ndjson:1: expected version 1, got 2: .* newer mcp-realtime/],
    [
      formatLine(HEADER).replace("crackerjack", ""),
      /^a\.ndjson:1: expected "service" of the header to be a text/,
    ],
    [
      formatLine(HEADER).replace(/,"channels":\[.*?\]/, ""),
      /^a\.ndjson:1: expected the header to have "channels", got none$/,
    ],
    [formatLine(HEADER).slice(0, -20), /^a\.ndjson:1: expected a header .*got what is no JSON$/],
  ])("refuses what is no record: %j", async (text, message) => {
    await expect(read(bytesOf(text))).rejects.toThrow(RecordError);
    await expect(read(bytesOf(text))).rejects.toThrow(message);
  });

  test.each([
    ["no JSON\n", "expected a line of a record, got what is no JSON"],
    [
      `{"at":1,"type":"other"}\n`,
      'expected a line with "type" of "event", "gap", "snapshot", "connection", "end", got "other"',
    ],
    [`{"at":1}\n`, "got none"],
    [
      formatLine({ ...EVENT, seq: -1 }),
      'expected "seq" of the line of type "event" to be a whole number of 0 or more, got another value',
    ],
    [
      formatLine({ ...EVENT, data: [] as never }),
      'expected "data" of the line of type "event" to be a JSON object, got another value',
    ],
    [
      formatLine(EVENT).replace(`"id":"0b0c",`, ""),
      'expected the line of type "event" to have "id", got none',
    ],
    [formatLine({ ...EVENT, at: 3 }), 'expected "at" of 12.5 or more, as the line before has, got 3'],
  ])("names file and line of what is wrong within a record: %j", async (line, message) => {
    const text = textOf([EVENT]) + line + formatLine(EVENT);
    await expect(read(bytesOf(text))).rejects.toThrow(RecordError);
    await expect(read(bytesOf(text))).rejects.toThrow(`a.ndjson:3: `);
    await expect(read(bytesOf(text))).rejects.toThrow(message);
  });

  test("refuses what stands behind the end, other bytes than UTF-8, and a line without an end", async () => {
    const end: RecordEntry = { at: 20, type: "end", reason: "stopped", events: 1 };
    await expect(read(bytesOf(textOf([EVENT, end, { ...EVENT, at: 30 }])))).rejects.toThrow(
      'a.ndjson:4: expected nothing after the line of type "end", got another line',
    );
    const bytes = new Uint8Array([...bytesOf(textOf([EVENT])), 0xff, 0xfe, 0x0a]);
    await expect(read(bytes)).rejects.toThrow("a.ndjson:3: expected text in UTF-8, got other bytes");
    const long = new Uint8Array(5_000_000).fill(0x20);
    await expect(read(long)).rejects.toThrow("a.ndjson:1: expected a line of at most 4194304 bytes");
  });

  test.each([0, 2])("refuses an end that counts %i events where there is one", async (events) => {
    const end: RecordEntry = { at: 20, type: "end", reason: "stopped", events };
    await expect(read(bytesOf(textOf([EVENT, end])))).rejects.toThrow(
      `a.ndjson:3: expected "events" of 1, as many as stand above, got ${events}`,
    );
  });

  test("never shows a payload in a message", async () => {
    const text = textOf([EVENT]) + `{"at":13,"type":"event","data":"geheim-77"}\n`;
    const error = await read(bytesOf(text)).catch((thrown: Error) => thrown) as Error;
    expect(error.message).toMatch(/^a\.ndjson:3: /);
    expect(error.message).not.toContain("geheim");
  });

  test("lets go of its source when whoever reads leaves", async () => {
    let closed = false;
    async function* source() {
      try {
        for (;;) yield bytesOf(textOf([EVENT]));
      } finally {
        closed = true;
      }
    }
    const record = await openRecord(source(), "a.ndjson");
    for await (const _ of record.entries()) break;
    expect(closed).toBe(true);
    expect(record.ending).toBeNull();
  });
});
