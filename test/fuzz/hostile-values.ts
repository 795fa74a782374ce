/**
 * What a field is given that should not be: other types, bounds and what is beyond them, keys that mean something to
 * JavaScript, text that means something to a database, a path or a terminal.
 *
 * @module
 */
import { Lexeme, type Loose, Members } from "./loose-json.ts";
import type { SeededRandom } from "./seeded-random.ts";

const NUMBERS = [
  "0",
  "-0",
  "1",
  "-1",
  "0.5",
  "1e-400",
  "1e308",
  "1e400",
  "-1e400",
  "NaN",
  "Infinity",
  "-Infinity",
  "9007199254740991",
  "9007199254740993",
  "-9007199254740993",
  "9223372036854775807",
  "9223372036854775808",
  "18446744073709551616",
  "4294967296",
  "2147483648",
  "9".repeat(4_300),
  `0.${"3".repeat(5_000)}`,
];

const STRINGS = [
  "",
  " ",
  "\t\n\r",
  "\u0000",
  "a\u0000b",
  "*",
  ":",
  "a:*",
  "global",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "then",
  "null",
  "undefined",
  "true",
  "0",
  "-1",
  "NaN",
  "../../../../etc/passwd",
  "/dev/zero",
  "file:///etc/passwd",
  "C:\\con",
  "%00%2e%2e",
  "'; DROP TABLE events; --",
  '" OR 1=1 --',
  'a" NEAR( b* ^ AND OR NOT ()',
  "*?[]{}|\\",
  "(a+)+$",
  "${process.exit(1)}",
  "{{7*7}}",
  "<script>alert(1)</script>",
  "\u001b[2J\u001b]0;x\u0007",
  "\r\nSet-Cookie: a=b\r\n\r\n",
  "\ufeff",
  "\u202eevil",
  "\u2028\u2029",
  "é e\u0301 ß ǆ İ",
  "👩‍👩‍👧‍👦🙂",
  "\ud83d\ude42".repeat(200),
  "0000-00-00T00:00:00Z",
  "2024-02-30T25:61:61+99:99",
  "+275760-09-13T00:00:00.001Z",
  "00000000-0000-4000-8000-000000000000",
  "01ARZ3NDEKTSV4RRFFQ69G5FAV",
  "7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
  "a".repeat(64),
  "a".repeat(201),
  "a:".repeat(128),
  "x".repeat(256),
  "x".repeat(70_000),
];

/** What makes the whole text no JSON, or no frame. */
const MALFORMED = [
  "01",
  "+1",
  ".5",
  "1.",
  "0x10",
  "1_000",
  "9".repeat(4_301),
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u00zz"',
  '"\\x41"',
  '"\n"',
  '"unfinished',
];

const KEYS = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "valueOf",
  "toJSON",
  "then",
  "length",
  "",
  "\u0000",
];

const nested = (depth: number, open: string, close: string, core: string) =>
  new Lexeme(open.repeat(depth) + core + close.repeat(depth));

export function hostileValue(random: SeededRandom, depth = 0): Loose {
  const kind = random.weighted([
    [10, "number"],
    [12, "string"],
    [1, "malformed"],
    [6, "word"],
    [4, "array"],
    [5, "object"],
    [3, "strange keys"],
    [2, "nested"],
    [1, "wide"],
  ]);
  switch (kind) {
    case "number":
      return new Lexeme(random.pick(NUMBERS));
    case "string":
      return random.chance(0.8) ? random.pick(STRINGS) : randomText(random);
    case "malformed":
      return new Lexeme(random.pick(MALFORMED));
    case "word":
      return random.pick<Loose>([null, true, false]);
    case "nested": {
      const levels = random.pick([2, 30, 60, 63, 64, 65, 120, 126, 127, 128, 129, 5_000, 100_000]);
      return random.chance(0.5) ? nested(levels, "[", "]", "") : nested(levels, '{"a":', "}", "1");
    }
    case "wide":
      return random.chance(0.5)
        ? Array.from({ length: random.pick([33, 101, 1_001]) }, () => random.pick(STRINGS.slice(0, 20)))
        : Object.fromEntries(
          Array.from({ length: random.pick([17, 101, 1_001]) }, (_, n) => [`key_${n}`, n]),
        );
    case "strange keys":
      return new Members(
        Array.from({ length: 1 + random.below(3) }, () => [random.pick(KEYS), below(random, depth)]),
      );
    case "array":
      return Array.from({ length: random.below(4) }, () => below(random, depth));
    default:
      return Object.fromEntries(
        Array.from(
          { length: random.below(4) },
          () => [random.pick(STRINGS.slice(0, 40)), below(random, depth)],
        ),
      );
  }
}

/** What stands in an array or object; at some depth no more of those. */
function below(random: SeededRandom, depth: number): Loose {
  return depth < 3 ? hostileValue(random, depth + 1) : random.pick(STRINGS.slice(0, 40));
}

/** Any characters but halves. */
export function randomText(random: SeededRandom): string {
  const character = () => {
    const point = random.weighted([
      [5, random.below(0x80)],
      [2, random.below(0x800)],
      [2, random.below(0xd800)],
      [1, 0x10000 + random.below(0x100000)],
    ]);
    return String.fromCodePoint(point);
  };
  return Array.from({ length: random.below(30) }, character).join("");
}
