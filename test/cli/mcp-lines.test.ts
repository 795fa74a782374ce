import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { readEvents } from "../../src/cli/mcp/event-stream.ts";
import { LineWriter, readLines } from "../../src/cli/mcp/lines.ts";

/** The bytes of a text, in chunks of this size. */
async function* chunked(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = [];
  for await (const item of items) got.push(item);
  return got;
}

const value = (of: unknown) => ({ ok: true, value: of });
const refused = (reason: RegExp) => ({ ok: false, reason: expect.stringMatching(reason) });

describe("readLines", () => {
  it.each([1, 3, 1_000])("gives each line as it was sent, in chunks of %d bytes", async (size) => {
    const text = '{"a":"ä\u{1F600}"}\r\n\n  \n[1]\nnonsense\n"last"';
    expect(await all(readLines(chunked(text, size)))).toEqual([
      value({ a: "ä\u{1F600}" }),
      value([1]),
      refused(/^Parse error: /),
      value("last"),
    ]);
  });

  it.each([1, 4, 1_000])(
    "refuses a line over the limit and no other, in chunks of %d bytes",
    async (size) => {
      const text = `"${"x".repeat(8)}"\n"${"x".repeat(9)}"\n"after"\n"${"y".repeat(99)}"`;
      const long = refused(/longer than 10 bytes/);
      expect(await all(readLines(chunked(text, size), 10))).toEqual([
        value("xxxxxxxx"),
        long,
        value("after"),
        long,
      ]);
    },
  );

  it("refuses what is not UTF-8, and goes on", async () => {
    async function* bytes() {
      yield await Promise.resolve(new Uint8Array([0x22, 0xff, 0x22, 0x0a, 0x31, 0x0a]));
    }
    expect(await all(readLines(bytes()))).toEqual([refused(/not UTF-8$/), value(1)]);
  });
});

describe("LineWriter", () => {
  it("writes a message per line, and waits for whoever reads", async () => {
    const written: string[] = [];
    let taken: () => void = () => {};
    const slow = new Writable({
      write(chunk, _, done) {
        written.push(String(chunk));
        taken = done;
      },
    });
    const writer = new LineWriter(slow, () => {});
    let out = 0;
    void writer.write({ id: 1, text: "two\nlines" }).then(() => out++);
    void writer.write({ id: 2n }).then(() => out++);
    await Promise.resolve();
    expect([written, out]).toEqual([['{"id":1,"text":"two\\nlines"}\n'], 0]);
    taken();
    await expect.poll(() => [written.length, out]).toEqual([2, 1]);
    taken();
    await writer.flushed();
    expect([written[1], out]).toEqual(['{"id":2}\n', 2]);
  });

  it("says once that nobody reads any more, and takes what is written in silence", async () => {
    let gone = 0;
    const broken = new Writable({ write: (_, __, done) => done(new Error("EPIPE")) });
    const writer = new LineWriter(broken, () => gone++);
    await writer.write({ id: 1 });
    await expect.poll(() => gone).toBe(1);
    await writer.write({ id: 2 });
    expect(gone).toBe(1);
  });

  it("takes what a stream throws for a reader that is gone, too", async () => {
    let gone = 0;
    const full = new Writable({
      write() {
        throw new Error("ENOSPC");
      },
    });
    await new LineWriter(full, () => gone++).write({ id: 1 });
    expect(gone).toBe(1);
  });
});

describe("readEvents", () => {
  const eventsOf = (text: string, size: number) => {
    const chunks = chunked(text, size);
    return all(readEvents(
      new ReadableStream<Uint8Array>({
        async pull(controller) {
          const { done, value } = await chunks.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
      }),
    ));
  };

  it.each([1, 5, 1_000])(
    "gives id, data and retry of each whole event, in chunks of %d bytes",
    async (size) => {
      const text =
        ": ok\n\nevent: message\nid: 1\ndata: {}\n\nid: 2\nretry: 50\ndata:\n\ndata: a\ndata:  b: c\r\n\r\n" +
        "other: field\n\ndata: ä\r\rdata: cut off";
      expect(await eventsOf(text, size)).toEqual([
        { id: "1", data: "{}", retryMs: null },
        { id: "2", data: "", retryMs: 50 },
        { id: null, data: "a\n b: c", retryMs: null },
        { id: null, data: "ä", retryMs: null },
      ]);
    },
  );

  it("lets go of the stream when its reader does", async () => {
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode("data: x\n\n")),
      cancel: () => void (cancelled = true),
    });
    for await (const _ of readEvents(endless)) break;
    expect(cancelled).toBe(true);
  });
});
