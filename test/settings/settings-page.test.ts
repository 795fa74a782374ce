import { toJsonSchema } from "@valibot/to-json-schema";
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { SERVICES } from "../../src/cli/services.ts";
import { SERVICE_PORTS } from "../../src/protocol/service-ports.ts";
import { loadSettings } from "../../src/settings/load.ts";
import { defaultSettings, SETTING_PATHS, settingAt, settingsSchema } from "../../src/settings/schema.ts";
import type { SettingsService } from "../../src/settings/schema.ts";
import { settingsFile, settingsTable } from "../../src/settings/settings-page.ts";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

const services: SettingsService[] = await Promise.all(
  Object.values(SERVICES).map(async (load) => {
    const { contract: { name, ports }, defaults, settingsSchema: schema } = await load();
    return { name, ports, ...defaults && { defaults }, ...schema && { schema } };
  }),
);
const sessionBuddy = services.find(({ name }) => name === "session-buddy")!;

describe.each(services)("settings/$name.yaml", (service) => {
  const text = read(`settings/${service.name}.yaml`);

  test("loads and equals the defaults", () => {
    const own = service.schema ? v.parse(service.schema, {}) : {};
    expect(loadSettings({ service, text })).toEqual({ ...defaultSettings(service), own });
  });

  test("is what settingsFile writes, with nothing but the service's own block after it", () => {
    const written = settingsFile(service);
    expect(text.slice(0, written.length)).toBe(written);
    const own = new RegExp(`^(\\n(#.*\\n)*${service.name}:[^]*)?$`);
    expect(text.slice(written.length)).toMatch(own);
  });

  test("fits settingsSchema", () => {
    expect(v.is(settingsSchema(service), parse(text))).toBe(true);
  });
});

describe("settingsFile", () => {
  test("gives every service a file that loads and equals its defaults", () => {
    for (const [name, ports] of Object.entries(SERVICE_PORTS)) {
      const service = { name, ports };
      expect(loadSettings({ service, text: settingsFile(service) })).toEqual(defaultSettings(service));
    }
  });

  test("tells every setting's unit and what 0 does", () => {
    const words = settingsFile(sessionBuddy).replaceAll(/\s+#?\s*/g, " ");
    for (const path of SETTING_PATHS) {
      const { unit, zero, meaning } = settingAt(path);
      expect(words).toContain(meaning);
      if (unit) expect(words).toContain(`Unit: ${unit}`);
      if (zero) expect(words).toContain(`0: ${zero}`);
    }
  });
});

describe("docs/settings.md", () => {
  test("holds the table that settingsTable makes", () => {
    expect(read("docs/settings.md")).toContain(`\n${settingsTable()}\n`);
  });
});

describe("settingsSchema", () => {
  test("becomes a JSON Schema that describes every setting", () => {
    // `typeMode` input: what a file may hold, defaults included.
    const schema = toJsonSchema(settingsSchema(sessionBuddy), { typeMode: "input" });
    const text = JSON.stringify(schema);
    for (const path of SETTING_PATHS) {
      expect(text).toContain(JSON.stringify(settingAt(path).meaning).slice(0, -1));
    }
    expect(text).toContain('"default":8688');
    expect(text).toContain('"additionalProperties":false');
  });

  test("takes the service's own schema for its block", () => {
    const own = { ...sessionBuddy, schema: v.object({ size: v.number() }) };
    expect(v.is(settingsSchema(own), { "session-buddy": { size: "x" } })).toBe(false);
    expect(v.is(settingsSchema(own), { "session-buddy": { size: 1 }, http: null })).toBe(true);
    expect(v.is(settingsSchema(own), { htpt: {} })).toBe(false);
  });
});
