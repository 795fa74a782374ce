/**
 * The table of docs/limits.md is that of the settings and metrics.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { COUNTED_LIMITS } from "../../src/metrics/catalog.ts";
import { SETTING_PATHS, settingAt, type SettingPath } from "../../src/settings/schema.ts";

/** Rows of the first table, without the padding of their cells. */
const [rows = []] = readFileSync(new URL("../../docs/limits.md", import.meta.url), "utf8")
  .split(/\n\n+/)
  .filter((part) => part.startsWith("| limit"))
  .map((part) =>
    part.trimEnd().split("\n").slice(2).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()))
  );

const told = new Map(rows.map((row) => [row[1]!.replaceAll("`", ""), row]));

/** Those of the block `websocket` that are limits. */
const OTHERS = ["websocket.max_connections", "websocket.message_rate_limit", "websocket.message_burst"];

const expected = SETTING_PATHS.filter((path) => path.startsWith("limits.") || OTHERS.includes(path));

describe("docs/limits.md", () => {
  test("has a row for every limit, and no other", () => {
    expect([...told.keys()].sort()).toEqual([...expected].sort());
    expect(rows).toHaveLength(expected.length);
  });

  test.each(expected)("says of %s what its setting says", (path: SettingPath) => {
    const [, , defaultCell, zeroCell, edge, counted] = told.get(path)!;
    const setting = settingAt(path);
    expect(defaultCell).toBe(setting.defaultText ?? `\`${setting.default}\``);
    if (typeof setting.default === "number") expect(zeroCell).toBe(setting.zero ?? "not accepted");
    else expect(zeroCell).toBe("");
    expect(edge).not.toBe("");
    const key = path.split(".")[1]!;
    const isCounted = (COUNTED_LIMITS as readonly string[]).includes(key);
    if (isCounted) expect(counted).toBe(`\`${key}\``);
    else expect(counted).not.toMatch(/^`/);
  });

  test("names as counted what the metric has for a label, and nothing else", () => {
    const counted = rows.flatMap((row) => /^`(\w+)`$/.exec(row[5]!)?.[1] ?? []);
    expect(counted.sort()).toEqual([...COUNTED_LIMITS].sort());
  });
});
