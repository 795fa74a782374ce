import { describe, expect, test } from "vitest";
import { FLAGS, flagsHelp, parseFlags } from "../../src/settings/flags.ts";
import { SETTING_PATHS, settingAt } from "../../src/settings/schema.ts";
import { SettingsError } from "../../src/settings/settings-error.ts";

describe("parseFlags", () => {
  test("reads values after a blank and after an equals sign, and switches", () => {
    const flags = parseFlags(["--settings", "a b.yaml", "--port=1", "--host", "::1", "--development"]);
    expect(flags.settingsFile).toBe("a b.yaml");
    expect(flags.help).toBe(false);
    expect([...flags.values]).toEqual([["--port", "1"], ["--host", "::1"], ["--development", "true"]]);
  });

  test("takes a negative number and a single dash as values", () => {
    expect(parseFlags(["--port", "-1", "--storage", "-"]).values.get("--port")).toBe("-1");
  });

  test("knows --help and -h", () => {
    expect(parseFlags(["--help"]).help).toBe(true);
    expect(parseFlags(["-h"]).help).toBe(true);
  });

  test("tells every fault at once", () => {
    const args = [
      "--prot",
      "1",
      "--xyz=1",
      "--port",
      "--host=",
      "--development=no",
      "--storage",
      "a",
      "--storage=b",
      "--log-level",
    ];
    expect(() => parseFlags(args)).toThrow(SettingsError);
    expect(() => parseFlags(args)).toThrow(
      [
        '"--prot": expected a known flag, did you mean "--port"?',
        '"--xyz": expected a known flag; see --help',
        "--port: expected a value (PORT), got none",
        "--host: expected a value (HOST), got none",
        '--development: expected no value, got "no"',
        "--storage: expected it once, got it twice",
        "--log-level: expected a value (LEVEL), got none",
        '"1": expected a flag, got a word',
      ].join("\n"),
    );
  });
});

describe("FLAGS", () => {
  test("has every flag that a setting names", () => {
    const named = new Set(
      SETTING_PATHS.map((path) => settingAt(path).flag).filter((flag) => flag !== undefined),
    );
    expect(new Set(FLAGS.filter((row) => row.paths.length > 0).map((row) => row.flag))).toEqual(named);
  });

  test("is what flagsHelp shows, one line each", () => {
    const lines = flagsHelp().split("\n");
    expect(lines).toHaveLength(FLAGS.length);
    expect(lines[1]).toBe("  --host HOST          Address that both ports listen on");
  });
});
