import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LineCutter, readEventLine } from "../../../../services/crackerjack/domain/event-lines.ts";
import { ToldSink } from "../told-sink.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function cut(...chunks: Uint8Array[]): string[] {
  const lines: string[] = [];
  const cutter = new LineCutter((line) => lines.push(line));
  for (const chunk of chunks) cutter.push(chunk);
  cutter.flush();
  return lines;
}

describe("LineCutter", () => {
  test("cuts bytes into the same lines whatever pieces they come in", () => {
    const text = fc.string({ unit: "binary" }).map((text) => text.replaceAll("\n", ""));
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 6 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        (lines, sizes) => {
          const whole = bytes(lines.map((line) => `${line}\n`).join(""));
          const chunks: Uint8Array[] = [];
          for (let at = 0; at < whole.length;) {
            const size = sizes.next().value!;
            chunks.push(whole.slice(at, at + size));
            at += size;
          }
          // A mark of byte order at a line's head is none of its text.
          expect(cut(...chunks)).toEqual([...lines.map((line) => line.replace(/^\uFEFF/, "")), ""]);
        },
      ),
    );
  });

  test("leaves out a line over 1 MiB, and goes on with the next", () => {
    const longest = "x".repeat(1_048_576);
    expect(cut(bytes(`${longest}\nnext\n`)).map(({ length }) => length)).toEqual([1_048_576, 4, 0]);
    expect(cut(bytes(`${longest}x\nnext\n`))).toEqual(["next", ""]);
    const flood = Array.from({ length: 64 }, () => bytes("y".repeat(65_536)));
    expect(cut(...flood, bytes("\nnext"))).toEqual(["next"]);
  });

  test("keeps no hold of the bytes that it was given", () => {
    const lines: string[] = [];
    const cutter = new LineCutter((line) => lines.push(line));
    const chunk = bytes("half");
    cutter.push(chunk);
    chunk.fill(0);
    cutter.push(bytes(" whole\n"));
    expect(lines).toEqual(["half whole"]);
  });

  test("half a character at a line's end does not reach into the next", () => {
    expect(cut(new Uint8Array([0xe2, 0x82, 10, 97, 10]))).toEqual(["\uFFFD", "a", ""]);
  });
});

describe("readEventLine", () => {
  function read(...lines: string[]): ToldSink {
    const sink = new ToldSink();
    for (const line of lines) readEventLine(line, sink);
    return sink;
  }

  test("hands each event to the sink", () => {
    const sink = read(
      `{"t":"total","n":3}`,
      `{"t":"test","s":"passed"}`,
      `{"t":"test","s":"failed","n":"a","f":"b.js","e":"c","b":"d"}`,
      `{"t":"test","s":"error","n":"e"}`,
      `{"t":"test","s":"skipped"}`,
      `{"t":"fault","n":"f","e":"g"}`,
      `{"t":"end"}`,
    );
    expect(sink).toMatchObject({
      totals: [3],
      states: ["passed", "failed", "error", "skipped"],
      failures: [
        { test_name: "a", file: "b.js", error: "c", traceback: "d" },
        { test_name: "e", file: null, error: "Failed without a message", traceback: null },
      ],
      faults: [{ test_name: "f", file: null, error: "g", traceback: null }],
      ends: 1,
    });
  });

  test.each([
    "",
    "noise",
    "null",
    "5",
    "[]",
    `"end"`,
    `{"t":"END"}`,
    `{"t":["end"]}`,
    `{"t":"total"}`,
    `{"t":"total","n":-1}`,
    `{"t":"total","n":1.5}`,
    `{"t":"total","n":"3"}`,
    `{"t":"total","n":1e300}`,
    `{"t":"test"}`,
    `{"t":"test","s":"great"}`,
    `{"t":"test","s":["passed"]}`,
    `{"t":"test","s":"passed"`,
    "[".repeat(100_000),
  ])("passes over what is none of them: %#", (line) => {
    expect(read(line)).toMatchObject({ totals: [], states: [], failures: [], faults: [], ends: 0 });
  });

  test("any line never throws, and tells failures within their bounds", () => {
    const event = fc.record({
      t: fc.constantFrom("total", "test", "fault", "end", "x"),
      s: fc.constantFrom("passed", "failed", "skipped", "error", "toString"),
      n: fc.oneof(fc.string({ unit: "binary", maxLength: 3_000 }), fc.double(), fc.object()),
      f: fc.oneof(fc.string({ unit: "binary", maxLength: 3_000 }), fc.constant(null)),
      e: fc.oneof(fc.string({ unit: "binary", maxLength: 9_000 }), fc.constant(undefined)),
      b: fc.oneof(fc.string({ unit: "binary", maxLength: 40_000, size: "max" }), fc.array(fc.integer())),
    }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), event.map((event) => JSON.stringify(event))), (line) => {
        const sink = read(line);
        for (const { test_name, file, error, traceback } of [...sink.failures, ...sink.faults]) {
          expect(test_name.length).toBeGreaterThan(0);
          expect(test_name.length).toBeLessThanOrEqual(500);
          expect((file ?? "").length).toBeLessThanOrEqual(1_000);
          expect(error.length).toBeGreaterThan(0);
          expect(error.length).toBeLessThanOrEqual(2_000);
          expect((traceback ?? "").length).toBeLessThanOrEqual(8_000);
          for (const text of [test_name, file, error, traceback]) {
            expect(text?.isWellFormed() ?? true).toBe(true);
            expect(text ?? "").not.toMatch(/[^\P{Cc}\n\t]/u);
          }
        }
      }),
      // Texts of this length are not made shorter in any time that a test has.
      { endOnFailure: true },
    );
  });

  test("an error that is taken from a traceback has no half characters either", () => {
    for (const blanks of ["", "x"]) {
      const [failure] =
        read(JSON.stringify({ t: "test", s: "failed", b: `${blanks}${"💥".repeat(3_000)}` })).failures;
      expect(failure!.error.length).toBeLessThanOrEqual(2_000);
      expect(failure!.error.isWellFormed()).toBe(true);
    }
  });
});
