import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseFlags } from "../../src/settings/flags.ts";
import { loadSettings } from "../../src/settings/load.ts";
import { SETTING_PATHS } from "../../src/settings/schema.ts";
import { SettingsError } from "../../src/settings/settings-error.ts";

const service = { name: "dhruva", ports: { http: 8683, websocket: 8693 } };

/** Runs it; anything but a SettingsError of one-line problems fails the test. */
function survives(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    for (const problem of (error as SettingsError).problems) {
      expect(problem).not.toMatch(/[\n\r\u2028\u2029]/);
    }
  }
}

const blocks = SETTING_PATHS.map((path) => path.split(".")[0]!);
const keys = SETTING_PATHS.map((path) => path.split(".").at(-1)!);
const token = fc.oneof(
  fc.constantFrom(...blocks, ...keys, "dhruva", "tls", "__proto__", "constructor"),
  fc.constantFrom(
    ":",
    ": ",
    "\n",
    "\n  ",
    "\n\t",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a ",
    "*a",
    "!!set ",
    "!x ",
    "? ",
    "|\n",
    ">-\n",
  ),
  fc.constantFrom(
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "<<: ",
    "#",
    '"',
    "'",
    "\\u",
    "\ufeff",
    "\0",
    "0x1f",
    ".nan",
    "1e999",
    "~",
  ),
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.integer().map(String),
);
const yamlish = fc.array(token, { maxLength: 40 }).map((tokens) => tokens.join(""));

describe("loadSettings", () => {
  test("throws nothing but SettingsError for any text", () => {
    const property = fc.property(
      fc.oneof(yamlish, fc.string({ unit: "binary" }), fc.string()),
      (text) => survives(() => loadSettings({ service, text })),
    );
    fc.assert(property, { numRuns: 2_000 });
  }, 30_000);

  test("throws nothing but SettingsError for any value at any path", () => {
    const property = fc.property(fc.constantFrom(...SETTING_PATHS), fc.jsonValue(), (path, value) => {
      const [block, key] = path.split(".") as [string, string | undefined];
      const text = JSON.stringify(key === undefined ? { [block]: value } : { [block]: { [key]: value } });
      survives(() => loadSettings({ service, text }));
    });
    fc.assert(property, { numRuns: 1_000 });
  }, 30_000);

  test("hands any JSON map on as the own block, unchanged", () => {
    const property = fc.property(
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { noNullPrototype: true }),
      (own) => {
        const plain = JSON.parse(JSON.stringify(own));
        const text = JSON.stringify({ dhruva: plain });
        // Integers beyond 2^53 arrive exact, as bigint; JSON would round them.
        if (/\d{16}/.test(text) || /\u2028|\u2029|\u0085|\ufeff|[\ud800-\udfff]/.test(text)) return;
        expect(loadSettings({ service, text }).own).toEqual(plain);
      },
    );
    fc.assert(property, { numRuns: 500 });
  }, 30_000);

  test("throws nothing but SettingsError for any variable and any command line", () => {
    const suffix = fc.constantFrom(
      "HOST",
      "PORT",
      "AUTH_ENABLED",
      "JWT_SECRET",
      "TOKEN_EXPIRY",
      "STORAGE_PATH",
    );
    const environment = fc.dictionary(suffix.map((name) => `DHRUVA_${name}`), fc.string({ unit: "binary" }));
    const argument = fc.oneof(fc.constantFrom("--port", "--host", "--", "-h", "--settings=x"), fc.string());
    const property = fc.property(environment, fc.array(argument), (environment, args) => {
      survives(() => loadSettings({ service, environment, flags: parseFlags(args) }));
    });
    fc.assert(property, { numRuns: 1_000 });
  }, 30_000);
});
