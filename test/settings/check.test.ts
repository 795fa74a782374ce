import { describe, expect, test } from "vitest";
import { checkNames, checkSettings } from "../../src/settings/check.ts";
import { defaultSettings, mergeSettings } from "../../src/settings/schema.ts";
import type { SettingsPart } from "../../src/settings/schema.ts";
import { SettingsError } from "../../src/settings/settings-error.ts";

const defaults = defaultSettings({ name: "akosha", ports: { http: 8682, websocket: 8692 } });
const check = (part: unknown) => () => checkSettings(mergeSettings(defaults, part as SettingsPart));

describe("mergeSettings", () => {
  test("replaces what is given and keeps the rest", () => {
    const merged = mergeSettings(defaults, { websocket: { port: 1 }, development: true, own: { a: 1 } });
    expect(merged).toEqual({
      ...defaults,
      websocket: { ...defaults.websocket, port: 1 },
      development: true,
      own: { a: 1 },
    });
    expect(mergeSettings(merged, { own: { b: 2 } }).own).toEqual({ a: 1, b: 2 });
    expect(mergeSettings(defaults, {})).toEqual(defaults);
  });

  test("lets the burst follow the rate unless it was set", () => {
    const burst = (part: SettingsPart, from = defaults) => mergeSettings(from, part).websocket.message_burst;
    expect(burst({ websocket: { message_rate_limit: 2 } })).toBe(3);
    expect(burst({ websocket: { message_rate_limit: 2, message_burst: 9 } })).toBe(9);
    const set = mergeSettings(defaults, { websocket: { message_burst: 7 } });
    expect(burst({ websocket: { message_rate_limit: 2 } }, set)).toBe(7);
  });
});

describe("checkSettings", () => {
  test("accepts the defaults, a rate of 0 and an odd rate", () => {
    expect(check({})).not.toThrow();
    expect(check({ websocket: { message_rate_limit: 0 } })).not.toThrow();
    expect(check({ websocket: { message_rate_limit: 3 } })).not.toThrow();
  });

  test("refuses every wrong value, and shows no secret", () => {
    expect(check({ websocket: { port: "x" }, auth: { secret: 5 }, broker: "nats" })).toThrow(
      new SettingsError([
        'Settings: websocket.port: expected a whole number from 0 to 65,535, got "x"',
        "Settings: auth.secret: expected a text that is not empty, got a value that is not shown here",
        'Settings: broker: expected "memory", the only value so far, got "nats"',
      ]),
    );
  });

  test("holds a program to the rules between settings", () => {
    expect(check({ http: { host: "0.0.0.0" } })).toThrow(
      /^Settings: http\.host: expected a loopback address, got "0\.0\.0\.0": /,
    );
    expect(check({ http: { host: "0.0.0.0" }, allow_insecure: true })).not.toThrow();
    expect(check({ auth: { required: true } })).toThrow(
      /^Settings: auth\.required: expected a secret or keys beside it/,
    );
  });
});

describe("checkNames", () => {
  test("refuses names that no setting has, and says which is near", () => {
    const names = (part: unknown) => () => checkNames(part as SettingsPart);
    expect(names({ websocket: { port: 1 }, development: true, own: { anything: 1 } })).not.toThrow();
    expect(names({ storag: { path: ":memory:" } })).toThrow(
      'Settings: storag: expected a known setting, did you mean "storage"?',
    );
    expect(names({ websocket: { prot: 1 }, xyz: 1 })).toThrow(
      'Settings: websocket.prot: expected a known setting, did you mean "port"?\nSettings: xyz: expected a known setting',
    );
  });
});
