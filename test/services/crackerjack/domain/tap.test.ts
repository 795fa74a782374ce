import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { looksLikeTap, TapReader } from "../../../../services/crackerjack/domain/tap.ts";
import { ToldSink } from "../told-sink.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function read(text: string, maxBytes = 16_777_216) {
  const sink = new ToldSink();
  const reader = new TapReader(sink, maxBytes);
  reader.push(bytes(text));
  const fault = reader.finish();
  return { fault, sink };
}

const failing = (yaml: string) =>
  `TAP version 14\n1..2\nnot ok 1 - bad\n  ---\n${
    yaml.split("\n").map((line) => `  ${line}`).join("\n")
  }\n  ...\nok 2\n`;

describe("TapReader", () => {
  test("tells each point as it comes, with skips, todos and the total of a plan at the head", () => {
    const { fault, sink } = read(`TAP version 13
1..6
ok 1 - good
not ok 2 - bad
ok 3 - left out # SKIP not here
not ok 4 - later # TODO not yet
ok 5
not ok 6
`);
    expect(fault).toBeNull();
    expect(sink.totals).toEqual([6]);
    expect(sink.states).toEqual(["passed", "failed", "skipped", "skipped", "passed", "failed"]);
    expect(sink.names).toEqual(["bad", "(unnamed)"]);
    expect(sink.ends).toBe(1);
  });

  test("tells the points of subtests, not the points that close them", () => {
    const { fault, sink } = read(`TAP version 14
# Subtest: outer
    # Subtest: inner
        ok 1 - one
        not ok 2 - two
        1..2
    not ok 1 - inner
    ok 2 - three
    1..2
not ok 1 - outer
ok 2 - four
1..2
`);
    expect(fault).toBeNull();
    expect(sink.states).toEqual(["passed", "failed", "passed", "passed"]);
    expect(sink.names).toEqual(["outer > inner > two"]);
    expect(sink.totals).toEqual([]);
  });

  test("a point that fails though its subtests pass is a fault", () => {
    const { fault, sink } = read(
      "TAP version 14\n# Subtest: outer\n    ok 1 - one\n    1..1\nnot ok 1 - outer\n1..1\n",
    );
    expect(fault).toBeNull();
    expect(sink.states).toEqual(["passed"]);
    expect(sink.faults).toMatchObject([{ test_name: "outer" }]);
  });

  test("takes what a diagnostic says about a failure", () => {
    const { sink } = read(failing("message: words\nat:\n  file: a.js\n  line: 3\nstack: |\n  one\n  two"));
    expect(sink.failures).toEqual([{
      test_name: "bad",
      file: "a.js",
      error: "words",
      traceback: "one\ntwo",
    }]);
    expect(read(failing("error: others\nlocation: b.js:1")).sink.failures).toMatchObject([
      { error: "others", file: "b.js:1", traceback: expect.stringContaining('"location": "b.js:1"') },
    ]);
  });

  test.each([
    ["holds itself", "message: m\na: &x\n  b: *x"],
    ["has a number that JSON has not", "message: m\na: !bigint 12"],
    ["is no YAML", "message: [m"],
    ["is no object", "5"],
    ["is a list", "- a\n- b"],
    ["nests without end", `a: ${"[".repeat(8_000)}`],
    [
      "multiplies itself",
      `message: m\na0: &a0 [x,x,x,x,x,x,x,x,x]\n${
        Array.from({ length: 9 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n},`.repeat(9)}]`).join("\n")
      }`,
    ],
    ["is long", Array.from({ length: 50_000 }, (_, n) => `key${n}: value`).join("\n")],
    ["is one long line", `message: ${"x".repeat(400_000)}`],
  ])("a diagnostic that %s takes nothing from the result", (_title, yaml) => {
    const { fault, sink } = read(failing(yaml));
    expect(fault).toBeNull();
    expect(sink.states).toEqual(["failed", "passed"]);
    expect(sink.names).toEqual(["bad"]);
  });

  test("reads the diagnostics of the first failures, and counts the others", () => {
    const point = `not ok\n  ---\n  message: m\n  more: ${"x".repeat(10_000)}\n  ...\n`;
    const { fault, sink } = read(`TAP version 14\n${point.repeat(300)}1..300\n`);
    expect(fault).toBeNull();
    expect(sink.states).toHaveLength(300);
    expect(sink.failures[0]!.error).toBe("m");
    expect(sink.failures[299]!.error).toBe("Failed without a message");
  });

  test.each([
    ["nothing at all", "", /expected a plan like 1\.\.3, got none/],
    ["no plan", "TAP version 14\nok 1\n", /expected a plan like 1\.\.3, got none/],
    ["an open subtest", "TAP version 14\n# Subtest: a\n    1..3\n    ok 1\n", /expected a plan/],
    ["fewer than planned", "1..3\nok 1\n", /expected 3 tests by its plan, got 1/],
    ["more than planned", "1..1\nok 1\nok 2\n", /expected 1 tests by its plan, got 2/],
    [
      "a subtest with fewer than planned",
      "1..1\n# Subtest: a\n    1..3\n    ok 1\nok 1 - a\n",
      /expected 3 tests by its plan, got 1/,
    ],
    ["one number twice", "1..2\nok 1\nok 1\n", /contradicts itself/],
    ["a plan beyond all numbers", "1..99999999999999999999\nok 1\n", /expected \d+ tests by its plan, got 1/],
    ["Bail out!", "1..3\nok 1\nBail out! no database\n", /^The tests bailed out: no database/],
    [
      "a subtest that bails out",
      "# Subtest: a\n    ok 1\n    Bail out! gone\n",
      /^The tests bailed out: gone/,
    ],
  ])("says what is wrong with %s", (_title, text, message) => {
    const { fault, sink } = read(text);
    expect(fault).toMatch(message);
    expect(sink.ends).toBe(0);
    for (const total of sink.totals) expect(Number.isSafeInteger(total)).toBe(true);
  });

  test("a plan of none that says why is an end without tests", () => {
    expect(read("TAP version 14\n1..0 # SKIP no network\n").fault).toBeNull();
  });

  test("goes on after a subtest that was cut short, and says so at the end", () => {
    const { fault, sink } = read("1..2\n# Subtest: a\n    1..3\n    ok 1\nok 1 - a\nnot ok 2 - b\n");
    expect(fault).toMatch(/expected 3 tests/);
    expect(sink.names).toEqual(["b"]);
  });

  test("refuses lines that are nested too deep, and more bytes than it may read", () => {
    expect(read(`1..1\n${" ".repeat(400)}ok 1\n`).fault).toMatch(/nested too deep/);
    expect(read("1..1\nok 1\n", 9).fault).toBe(
      "Cannot read the TAP output: expected at most 9 bytes, got more",
    );
    expect(read("1..1\nok 1\n", 10).fault).toBeNull();
  });

  test("reads the same whatever pieces it comes in", () => {
    const whole = bytes(failing("message: wörter – 東京"));
    fc.assert(fc.property(fc.array(fc.nat(whole.length), { maxLength: 8 }), (cuts) => {
      const sink = new ToldSink();
      const reader = new TapReader(sink, 1e6);
      const places = [0, ...cuts.sort((a, b) => a - b), whole.length];
      places.slice(1).forEach((end, index) => reader.push(whole.slice(places[index], end)));
      expect(reader.finish()).toBeNull();
      expect(sink.failures).toMatchObject([{ test_name: "bad", error: "wörter – 東京" }]);
    }));
  });

  test("any bytes and any lines of TAP in any order never throw, and end once at most", () => {
    const line = fc.constantFrom(
      "TAP version 14",
      "1..3",
      "1..0",
      "ok",
      "not ok 2 - x",
      "ok 1 # SKIP",
      "not ok # TODO",
      "  ---",
      "  ...",
      "  a: [",
      "# Subtest: a",
      "    ok 1",
      "    1..1",
      "        not ok 7 {",
      "}",
      "    }",
      "Bail out!",
      "pragma +strict",
      "pragma -strict",
      "ok - buffered {",
      "    Bail out! x",
      "noise",
      "",
    );
    const lines = fc.array(line, { maxLength: 30 }).map((some) => bytes(some.join("\n")));
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.uint8Array(), lines), { maxLength: 5 }), (chunks) => {
        const sink = new ToldSink();
        const reader = new TapReader(sink, 1e6);
        for (const chunk of chunks) reader.push(chunk);
        const fault = reader.finish();
        expect(sink.ends).toBe(fault === null ? 1 : 0);
      }),
      { numRuns: 500 },
    );
  });
});

describe("looksLikeTap", () => {
  test("goes by the version in the first lines, or by a plan or a test point as the first", () => {
    expect(looksLikeTap("TAP version 13\nok")).toBe(true);
    expect(looksLikeTap("\n> run\n\nTAP version 14\r\n")).toBe(true);
    expect(looksLikeTap("# a comment\nok 1\n1..1")).toBe(true);
    expect(looksLikeTap("1..3\r\nok 1 - a")).toBe(true);
    expect(looksLikeTap("\nnot ok 1 - a\n")).toBe(true);
    expect(looksLikeTap("ok  \tpackage/path\t0.1s")).toBe(false);
    expect(looksLikeTap("okay\nok 1")).toBe(false);
    expect(looksLikeTap("a\nb\nc\nd\ne\nTAP version 14")).toBe(false);
    expect(looksLikeTap("we speak TAP version 14")).toBe(false);
  });
});
