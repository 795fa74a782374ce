import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readPlain } from "../../src/settings/read-plain.ts";
import { readYaml } from "../../src/settings/read-yaml.ts";

const NAMES = [
  "a",
  "b",
  "port",
  "no",
  "y",
  "null",
  "true",
  "a-b",
  "a-",
  "constructor",
  "__proto__",
  "A",
  "1",
];
const VALUES = [
  ...[
    "",
    "1",
    "0",
    "01",
    "1.0",
    "0.50",
    "-1",
    "1e3",
    "0x1f",
    "0o7",
    ".inf",
    "123456789012345",
    "1234567890123456",
  ],
  ...[
    "true",
    "True",
    "false",
    "null",
    "~",
    "no",
    "on",
    "a",
    "a b",
    "a:b",
    "a: b",
    "a#b",
    "a #b",
    "./x",
    "a/b.c-",
  ],
  ...[
    '"x"',
    '"x # y: z"',
    '"a\\n"',
    "'x'",
    '""',
    '"',
    '"x" # c',
    "|",
    ">",
    "&a",
    "*a",
    "!a",
    "%a",
    "@a",
    "2026-01-01",
  ],
  ...[
    "[]",
    "{}",
    "[ ]",
    "[a]",
    "[1, b]",
    "[a,b]",
    "[a, ]",
    "[[]]",
    "[{}]",
    '["a, b"]',
    '["]"]',
    "{ a: b }",
    "[a: b]",
  ],
];
const OTHERS = [
  "",
  "   ",
  "# c",
  "      # c: d",
  "#",
  "---",
  "...",
  "%YAML 1.2",
  "- a",
  "  c",
  "\t",
  "\ufeff",
  "é",
];

const oneOf = (texts: readonly string[]) => fc.constantFrom(...texts);
const entry = fc.tuple(
  oneOf(["", "  ", "    ", " "]),
  oneOf(NAMES),
  oneOf([":", ": ", ": ", ":  "]),
  oneOf(VALUES),
);
const line = fc.oneof(
  { weight: 4, arbitrary: entry.map((parts) => parts.join("")) },
  { weight: 1, arbitrary: oneOf(OTHERS) },
);
const text = fc.array(line, { maxLength: 7 }).chain((lines) =>
  oneOf(["\n", "\n", "\n", "\r\n"]).map((end) => lines.join(end))
);
/** Lines that may all be read here, as far as they go together. */
const plainLine = fc.tuple(
  oneOf(["", "", "  ", "    "]),
  oneOf(["a", "b", "c", "d", "e", "y"]),
  oneOf([":", ": 1", ": 0.50", ": x/y.z", ": true", ': "a: # b"', ": []", ": {}", ': [".", a, 2]', ": no"]),
).map((parts) => parts.join(""));
const plainText = fc.array(fc.oneof(plainLine, oneOf(["", "# c", "    # c"])), { maxLength: 8 })
  .map((lines) => lines.join("\n"));

describe("readPlain()", () => {
  test("gives what the YAML parser gives, or leaves it to that", () => {
    let read = 0;
    const same = (text: string) => {
      const plain = readPlain(text);
      if (plain === null) return;
      read++;
      expect(plain, JSON.stringify(text)).toEqual(readYaml(text, "f"));
    };
    fc.assert(fc.property(text, same), { numRuns: 5_000 });
    fc.assert(fc.property(plainText, same), { numRuns: 5_000 });
    expect(read).toBeGreaterThan(100);
  }, 60_000);

  test("reads the settings files of this project, besides the one with feeds", () => {
    const folder = fileURLToPath(new URL("../../settings/", import.meta.url));
    const left = readdirSync(folder).filter((name) => {
      const text = readFileSync(folder + name, "utf8");
      const plain = readPlain(text);
      if (plain !== null) expect(plain).toEqual(readYaml(text, name));
      return plain === null;
    });
    expect(left).toEqual(["akosha.yaml"]);
  });

  test("leaves to the parser what is wrong, long, or empty", () => {
    for (
      const text of ["", "# c\n", "a: 1\na: 2\n", "a:\n    b: 1\n", "a: 1\n  b: 2\n", "a: &b 1\n", "a: 'b\n"]
    ) {
      expect(readPlain(text), JSON.stringify(text)).toBeNull();
    }
    expect(readPlain(`a: "${"x".repeat(70_000)}"`)).toBeNull();
    expect(readPlain(`${"a".repeat(2_000)}: 1`)).toBeNull();
  });
});
