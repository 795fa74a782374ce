import { readFileSync } from "node:fs";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { mahavishnuService } from "../../../services/mahavishnu/mod.ts";
import { mahavishnuSettings } from "../../../services/mahavishnu/domain/settings.ts";
import { settingsServiceOf } from "../../../src/server/server-settings.ts";
import { loadSettings } from "../../../src/settings/load.ts";
import { defaultSettings } from "../../../src/settings/schema.ts";
import { SettingsError } from "../../../src/settings/settings-error.ts";
import { settingsFile } from "../../../src/settings/settings-page.ts";

const service = settingsServiceOf(mahavishnuService);
const text = readFileSync(new URL("../../../settings/mahavishnu.yaml", import.meta.url), "utf8");

function faults(own: string): readonly string[] {
  try {
    loadSettings({ service, text: `mahavishnu:\n${own}\n`, file: "settings.yaml" });
  } catch (error) {
    if (error instanceof SettingsError) return error.message.split("\n");
    throw error;
  }
  return [];
}

describe("settings/mahavishnu.yaml", () => {
  test("loads and equals the defaults, those of the service's own block included", () => {
    const { own, ...settings } = loadSettings({ service, text });
    const { own: _none, ...defaults } = defaultSettings(service);
    expect(settings).toEqual(defaults);
    expect(own).toEqual(v.parse(mahavishnuSettings, {}));
  });

  test("is what settingsFile writes, with the service's own block after it", () => {
    const written = settingsFile(service);
    expect(text.slice(0, written.length)).toBe(written);
    expect(text.slice(written.length)).toMatch(/^\n(#.*\n)*mahavishnu:\n/);
  });

  test("names every setting of the service, each with its default", () => {
    const block = text.slice(text.indexOf("\nmahavishnu:"));
    const keys = [
      ...Object.keys(mahavishnuSettings.entries),
      ...Object.keys(v.parse(mahavishnuSettings, {}).pools.default!),
    ];
    for (const key of keys) expect(block).toMatch(new RegExp(`^ +${key}:`, "m"));
  });
});

test.each<[string, string]>([
  ["  definition: x", "definition"],
  ["  allow_inline: 1", "allow_inline"],
  ["  workflows_kept: 0", "workflows_kept"],
  ["  output_bytes: 1023", "output_bytes"],
  ["  stop_grace_ms: 10001", "stop_grace_ms"],
  ["  pools: {}", "pools"],
  ["  pools: { 'a b': {} }", "pools"],
  ["  pools:\n    a: { min: 3, max: 2 }", "pools.a"],
  ["  pools:\n    a: { max: 65 }", "pools.a.max"],
  ["  pools:\n    a: { size: 3 }", "pools.a"],
])("the block %j is refused, with file and line", (own, path) => {
  const told = faults(own);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/^settings\.yaml:\d+: /);
  expect(told[0]).toContain(`mahavishnu.${path}`);
});

test("a pool has the default of what it leaves out", () => {
  expect(v.parse(mahavishnuSettings, { pools: { gpu: { max: 2 } } }).pools).toEqual({
    gpu: { min: 1, max: 2, queue: 1_000, idle_ms: 30_000 },
  });
});
