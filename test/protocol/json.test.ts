import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_JSON_DEPTH, parseJson, quoteJson, stringifyJson } from "../../src/protocol/json.ts";
import { MAX_INTEGER_DIGITS, parseTolerantly } from "../../src/protocol/tolerant-json.ts";

const LONE_SURROGATE_ESCAPE = /(?<!\\)(?:\\\\)*\\ud[89a-f]/i;

function parsed(text: string): unknown {
  const result = parseJson(text);
  if (!result.ok) throw new Error(result.reason);
  return result.value;
}

function reasonFor(text: string): string {
  const result = parseJson(text);
  return result.ok ? `accepted ${String(result.value)}` : result.reason;
}

function nested(levels: number): string {
  return "[".repeat(levels) + "]".repeat(levels);
}

/** Is it written without an exponent and read as a bigint? */
function isLongInteger(number: number): boolean {
  return Number.isInteger(number) && !Number.isSafeInteger(number) && Math.abs(number) < 1e21;
}

/** Any JSON value, with strings of every UTF-16 unit that is well formed, and with bigints where asked. */
function anyJson(bigints: boolean): fc.Arbitrary<unknown> {
  const strings = fc.string({ unit: "binary" });
  return fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom(null, true, false),
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !isLongInteger(number))
        .map((number) => number === 0 ? 0 : number),
      fc.integer(),
      strings,
      ...(bigints ? [fc.bigInt().filter((big) => !Number.isSafeInteger(Number(big)))] : []),
      fc.array(tie("value")),
      fc.dictionary(fc.oneof(strings, fc.constantFrom("__proto__", "constructor", "0")), tie("value"), {
        noNullPrototype: true,
      }),
    ),
  })).value;
}

describe("parseJson", () => {
  it.each([
    ["9007199254740991", 9007199254740991],
    ["-9007199254740991", -9007199254740991],
    ["9007199254740992", 9007199254740992n],
    ["-9007199254740993", -9007199254740993n],
    ["1234567890123456", 1234567890123456],
    ["123456789012345678901234567890", 123456789012345678901234567890n],
    ["1e20", 1e20],
    ["12345678901234567890.0", 12345678901234567890],
    ["0.12345678901234567890", 0.12345678901234567890],
    ["-0", -0],
    ["1e400", Infinity],
    ["-1e400", -Infinity],
    ["NaN", NaN],
    ["Infinity", Infinity],
    ["-Infinity", -Infinity],
    [" \t\r\n1 \t\r\n", 1],
  ])("reads %s", (text, value) => expect(parsed(text)).toStrictEqual(value));

  it("reads long integers exactly wherever they stand", () => {
    expect(parsed('{"a":[1,-18446744073709551615, 18446744073709551616],"b":\n18446744073709551617}'))
      .toStrictEqual({
        a: [1, -18446744073709551615n, 18446744073709551616n],
        b: 18446744073709551617n,
      });
  });

  it("reads long integers exactly at every place of a text", () => {
    for (let blanks = 0; blanks < 40; blanks++) {
      for (const digits of ["9007199254740993", "-9007199254740993", "12345678901234567"]) {
        expect(parsed(`{"a":${" ".repeat(blanks)}${digits}}`)).toEqual({ a: BigInt(digits) });
      }
    }
  });

  it("reads an integer outside the safe range as a bigint, also where a double happens to hold it", () => {
    expect(parsed(stringifyJson([2 ** 53, 1e20, 1e21]))).toStrictEqual([
      9007199254740992n,
      100000000000000000000n,
      1e21,
    ]);
  });

  it("leaves digits inside strings alone", () => {
    const text = '{"a":"x:18446744073709551616","18446744073709551616":0.30000000000000004}';
    expect(parsed(text)).toStrictEqual({
      a: "x:18446744073709551616",
      "18446744073709551616": 0.30000000000000004,
    });
  });

  it("bounds the digits of an integer", () => {
    const longest = "9".repeat(MAX_INTEGER_DIGITS);
    expect(parsed(longest)).toBe(BigInt(longest));
    expect(parsed(`-${longest}`)).toBe(BigInt(`-${longest}`));
    expect(reasonFor(`[${longest}9]`)).toBe(
      "Malformed JSON at character 2: expected an integer of at most 4300 digits",
    );
    expect(parsed(`${longest}9.5`)).toBe(Infinity);
  });

  it.each([
    "",
    " ",
    "\ufeff1",
    "1 2",
    "{}x",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[",
    "{",
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,}',
    "{a:1}",
    "{'a':1}",
    '{"a" 1}',
    "01",
    "+1",
    "-",
    "1.",
    ".5",
    "1e",
    "0x10",
    "1n",
    "-NaN",
    "+Infinity",
    "nan",
    "infinity",
    "NaNa",
    "nul",
    "True",
    "undefined",
    '"',
    '"\\"',
    '"a\nb"',
    '"\\x41"',
    '"\\u12"',
    "// a\n1",
    "1\u00a0",
    "1\u000b",
    "[12345678901234567890,]",
    "[NaN,]",
    '{"a":NaN "b":1}',
    "]",
    "[}",
  ])("refuses %j", (text) => expect(reasonFor(text)).toMatch(/^Malformed JSON/));

  it("says where a text is malformed and shows nothing of it", () => {
    expect(reasonFor('{"secret":"hunter2",}')).toBe(
      "Malformed JSON at character 21: expected a key in double quotes",
    );
    expect(reasonFor('{"secret":')).toBe(
      "Malformed JSON at character 11: expected a value, but the text ends",
    );
    expect(reasonFor("")).toBe("Malformed JSON: the text is empty");
    fc.assert(fc.property(fc.string(), (text) => {
      const result = parseJson(`["hunter2"${text}`);
      expect(result.ok ? "" : result.reason).not.toContain("hunter2");
    }));
  });

  it("lets the last of duplicate keys win, at its first place", () => {
    for (const extra of ["", ',"n":NaN', ',"n":12345678901234567890']) {
      expect(Object.entries(parsed(`{"a":1,"b":2,"a":3${extra}}`) as object).slice(0, 2)).toStrictEqual([
        ["a", 3],
        ["b", 2],
      ]);
    }
  });

  it("keeps __proto__ as a key of its own", () => {
    for (const extra of ["", ',"n":NaN', ',"n":12345678901234567890']) {
      const value = parsed(`{"__proto__":{"polluted":1}${extra}}`) as Record<string, unknown>;
      expect(Object.hasOwn(value, "__proto__")).toBe(true);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect(value.polluted).toBeUndefined();
      expect(stringifyJson(value)).toContain('"__proto__":{"polluted":1}');
    }
  });

  it("takes 128 levels and refuses more", () => {
    expect(parseJson(nested(MAX_JSON_DEPTH)).ok).toBe(true);
    expect(reasonFor(nested(MAX_JSON_DEPTH + 1))).toBe("Malformed JSON: nested more than 128 levels deep");
    expect(parseJson('{"a":'.repeat(MAX_JSON_DEPTH) + "NaN" + "}".repeat(MAX_JSON_DEPTH)).ok).toBe(true);
    expect(parseJson('{"a":'.repeat(MAX_JSON_DEPTH + 1) + "NaN" + "}".repeat(MAX_JSON_DEPTH + 1)).ok).toBe(
      false,
    );
  });

  it("counts no brackets in strings, and siblings once", () => {
    expect(parseJson(JSON.stringify("[".repeat(1000))).ok).toBe(true);
    expect(parseJson(JSON.stringify(`\\"${"{".repeat(1000)}`)).ok).toBe(true);
    expect(parseJson(JSON.stringify(Array(1000).fill([{}]))).ok).toBe(true);
  });

  it.each([
    ["open arrays", "[".repeat(1_000_000)],
    ["open arrays after a string that does not end", '["' + "[".repeat(1_000_000)],
    ["open objects", '{"":'.repeat(250_000)],
    ["brackets that do not match", "[}".repeat(500_000)],
    ["backslashes", '"' + "\\".repeat(1_000_001)],
    ["quotes", '"\\'.repeat(500_000)],
    ["digits", "9".repeat(1_000_000)],
    ["digits of a fraction", `1.${"9".repeat(1_000_000)}x`],
    ["blanks", " ".repeat(1_000_000)],
  ])(
    "refuses a megabyte of %s without a stack overflow",
    (_, text) => expect(parseJson(text).ok).toBe(false),
  );

  it("reads what stringifyJson wrote, bigints included", () => {
    fc.assert(fc.property(anyJson(true), (value) => {
      expect(isDeepStrictEqual(parsed(stringifyJson(value)), value)).toBe(true);
    }));
  });
});

describe("parseTolerantly", () => {
  it("agrees with JSON.parse on ordinary JSON, blanks included", () => {
    fc.assert(fc.property(anyJson(false), fc.constantFrom(0, 1, "\t", " \n"), (value, space) => {
      const text = JSON.stringify(value, null, space);
      expect(isDeepStrictEqual(parseTolerantly(text), JSON.parse(text))).toBe(true);
    }));
  });

  it("agrees with JSON.parse on what is malformed", () => {
    const strip = (text: string) => text.replace(/NaN|Infinity|\d{16,}/g, "");
    const pieces = fc.constantFrom(
      ...'[]{},:"\\ \n\t-+.eE01u\u0001abtrfnlsx/\ufeff',
      "true",
      "null",
      '"a":',
      "\\u00e9",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }).map((list) => strip(list.join(""))), (text) => {
        const attempt = (parse: (text: string) => unknown) => {
          try {
            return { value: parse(text) };
          } catch {
            return "refused";
          }
        };
        expect(attempt(parseTolerantly)).toStrictEqual(attempt(JSON.parse));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("stringifyJson", () => {
  it.each<[string, unknown, string]>([
    ["a bigint as its digits", { n: 18446744073709551616n }, '{"n":18446744073709551616}'],
    [
      "bigints among other values",
      [1n, { a: -2n, b: "x", c: [null, 1.5, true] }],
      '[1,{"a":-2,"b":"x","c":[null,1.5,true]}]',
    ],
    [
      "numbers that are not finite as null",
      { a: NaN, b: [Infinity, -Infinity] },
      '{"a":null,"b":[null,null]}',
    ],
    ["those beside a bigint too", [NaN, 1n], "[null,1]"],
    ["no undefined members", { a: undefined, b: 1 }, '{"b":1}'],
    [
      "no undefined members beside a bigint",
      { a: undefined, b: 1n, c: [undefined, () => 1] },
      '{"b":1,"c":[null,null]}',
    ],
    [
      "a date beside a bigint as its text",
      { at: new Date(0), n: 1n },
      '{"at":"1970-01-01T00:00:00.000Z","n":1}',
    ],
    ["non-ASCII characters as they are", "é日😀\u2028/<>", '"é日😀\u2028/<>"'],
    ["a lone surrogate as U+FFFD", "a\ud800b\udfff", '"a\ufffdb\ufffd"'],
    ["a lone surrogate in a key too", { "\udc00": 1 }, '{"\ufffd":1}'],
    ["a lone surrogate beside a bigint", { "\udc00": "\ud800", n: 1n }, '{"\ufffd":"\ufffd","n":1}'],
    ["the text of an escape as it is", "\\ud800", '"\\\\ud800"'],
    ["a lone surrogate after a backslash", "\\\ud800", '"\\\\\ufffd"'],
    ["two backslashes and the text of an escape", "\\\\ud800", '"\\\\\\\\ud800"'],
    ["control characters escaped", '\u0001\n"', '"\\u0001\\n\\""'],
    ["an escaped control character beside a lone surrogate", "\u0001\ud800\u001f", '"\\u0001\ufffd\\u001f"'],
    ["nothing as null", undefined, "null"],
  ])("writes %s", (_, value, text) => expect(stringifyJson(value)).toBe(text));

  it("throws a TypeError where a value contains itself", () => {
    const value: { n: bigint; inner: unknown[] } = { n: 1n, inner: [] };
    value.inner.push(value);
    expect(() => stringifyJson(value)).toThrow("Cannot write JSON: the value at key '0' contains itself");
    expect(() => stringifyJson(value)).toThrow(TypeError);
    const shared = { n: 1n };
    expect(stringifyJson([shared, shared])).toBe('[{"n":1},{"n":1}]');
  });

  it("never writes the escape of a lone surrogate, and never a lone surrogate", () => {
    const units = fc.oneof(
      fc.constantFrom("\\", "u", "\ud800", "\udbff", "\udc00", "\udfff", "d800", '"'),
      fc.string({ unit: "binary" }),
    );
    const strings = fc.array(units).map((list) => list.join(""));
    fc.assert(
      fc.property(fc.dictionary(strings, fc.oneof(strings, fc.array(strings), fc.bigInt())), (value) => {
        const text = stringifyJson(value);
        expect(text.isWellFormed()).toBe(true);
        expect(text).not.toMatch(LONE_SURROGATE_ESCAPE);
        const wellFormed = Object.values(value).filter((item) => typeof item === "string");
        const written = Object.values(JSON.parse(text)).filter((item) => typeof item === "string");
        for (const item of written) expect(wellFormed.map((each) => each.toWellFormed())).toContain(item);
      }),
    );
  });
});

describe("quoteJson", () => {
  it("writes every string as stringifyJson does", () => {
    const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
      .map((units) => String.fromCharCode(...units));
    const strings = fc.oneof(
      units,
      fc.string({ maxLength: 100 }),
      fc.string({ unit: "binary", maxLength: 100 }),
    );
    fc.assert(fc.property(strings, (text) => void expect(quoteJson(text)).toBe(stringifyJson(text))));
  });
});
