import { describe, expect, test } from "vitest";
import { openRecord } from "../../src/recording/read-record.ts";
import type { RecordEntry, RecordItem } from "../../src/recording/record.ts";
import { RecordWriter } from "../../src/recording/write-record.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { bytesOf, pieces } from "./pieces.ts";

const BEGINNING = {
  service: "akosha",
  url: "ws://user:geheim@127.0.0.1:8692/?token=geheim#geheim",
  channels: ["anomalies"],
  epoch: null,
};

const EVENT: RecordItem = {
  type: "event",
  channel: "anomalies",
  event: "anomaly.detected",
  id: "1",
  data: { a: 1 },
  timestamp: "2026-01-01T00:00:00.000Z",
};

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

async function entriesOf(text: string): Promise<RecordEntry[]> {
  const record = await openRecord(pieces(bytesOf(text)), "a");
  const entries: RecordEntry[] = [];
  for await (const entry of record.entries()) entries.push(entry);
  return entries;
}

describe("RecordWriter", () => {
  test("writes a header without secrets, each item with its moment, and an end", async () => {
    const clock = new FakeClock();
    let text = "";
    const writer = new RecordWriter({
      clock,
      write(bytes) {
        text += textOf(bytes);
        return Promise.resolve(bytes.byteLength);
      },
    });
    clock.advance(5);
    await writer.begin(BEGINNING);
    await writer.add(EVENT);
    clock.advance(1_500);
    await writer.add({ type: "connection", state: "lost" });
    expect([writer.events, writer.at]).toEqual([1, 1_505]);
    await writer.end("duration");
    await writer.add(EVENT);
    expect(writer.bytes).toBe(bytesOf(text).length);
    expect(text).not.toContain("geheim");
    expect(JSON.parse(text.split("\n")[0]!)).toEqual({
      format: "mcp-realtime-record",
      version: 1,
      ...BEGINNING,
      url: "ws://127.0.0.1:8692/",
      started_at: "2026-01-01T00:00:00.000Z",
    });
    expect(await entriesOf(text)).toEqual([
      { at: 5, ...EVENT },
      { at: 1_505, type: "connection", state: "lost" },
      { at: 1_505, type: "end", reason: "duration", events: 1 },
    ]);
  });

  test("makes whoever brings more than goes out wait, and joins what waits into one write", async () => {
    const writes: { text: string; done: () => void }[] = [];
    const clock = new FakeClock();
    const writer = new RecordWriter({
      clock,
      write: (bytes) =>
        new Promise((resolve) => writes.push({ text: textOf(bytes), done: () => resolve(bytes.byteLength) })),
    });
    const begun = writer.begin(BEGINNING);
    expect(writes).toHaveLength(1);
    let waiting = 0;
    let added = 0;
    while (waiting === 0) {
      let settled = false;
      void writer.add(EVENT).then(() => settled = true);
      added++;
      // It settles within a few turns of the queue of promises, or not at all.
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      if (!settled) waiting++;
      expect(added).toBeLessThan(1_000);
    }
    // What waits is bounded, and nothing has gone out beside the header.
    expect(writes).toHaveLength(1);
    expect(added * JSON.stringify(EVENT).length).toBeLessThan(100_000);
    writes[0]!.done();
    await expect.poll(() => writes.length).toBe(2);
    const ended = writer.end("stopped");
    writes[1]!.done();
    await expect.poll(() => writes.length).toBe(3);
    writes[2]!.done();
    await begun;
    await ended;
    expect(await entriesOf(writes.map(({ text }) => text).join(""))).toHaveLength(added + 1);
  });

  test("brings the rest of what was written in part, and counts only events that are out as a whole", async () => {
    const out: number[] = [];
    let room = 0;
    const writer = new RecordWriter({
      clock: new FakeClock(),
      write(bytes) {
        if (room === 0) return Promise.reject(new Error("the disk is full"));
        const part = bytes.subarray(0, Math.min(7, room));
        out.push(...part);
        room -= part.byteLength;
        return Promise.resolve(part.byteLength);
      },
    });
    room = 10_000;
    await writer.begin(BEGINNING);
    const header = out.length;
    await writer.add(EVENT);
    await expect.poll(() => writer.written.events).toBe(1);
    const line = out.length - header;
    expect(writer.written).toEqual({ events: 1, bytes: header + line });
    room = 3 * line - 2;
    for (let index = 0; index < 16; index++) void writer.add(EVENT).catch(() => {});
    await expect(writer.end("stopped")).rejects.toThrow("the disk is full");
    expect(writer.events).toBe(17);
    expect(writer.written).toEqual({ events: 3, bytes: header + 4 * line - 2 });
    const text = textOf(new Uint8Array(out));
    expect(await entriesOf(text)).toHaveLength(3);
  });

  test("tells whoever comes next that the file could not be written", async () => {
    const writer = new RecordWriter({
      clock: new FakeClock(),
      write: () => Promise.reject(new Error("the disk is full")),
    });
    await expect(writer.begin(BEGINNING)).rejects.toThrow("the disk is full");
    await expect(writer.failed).rejects.toThrow("the disk is full");
    await expect(writer.end("stopped")).rejects.toThrow("the disk is full");
    await expect(writer.add(EVENT)).rejects.toThrow("the disk is full");
  });
});
