import { describe, expect, test } from "vitest";
import { checkNames, checkSettings } from "../../src/settings/check.ts";
import { kindsWithHistory } from "../../src/settings/kind-bounds.ts";
import { loadSettings } from "../../src/settings/load.ts";
import { defaultSettings, mergeSettings } from "../../src/settings/schema.ts";
import type { SettingsPart } from "../../src/settings/schema.ts";
import { SettingsError } from "../../src/settings/settings-error.ts";

const service = {
  name: "harbour",
  ports: { http: 1, websocket: 2 },
  kinds: ["global", "boat", "berth-list"],
};

const load = (text: string) => loadSettings({ service, file: "f.yaml", text });
const UNKNOWN = "expected a kind of channel that keeps history (global, boat, berth-list), got ";

function problems(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return (error as SettingsError).problems;
  }
  return [];
}

describe("history.kinds in a file", () => {
  test("is a map of maps, of which each may be left out", () => {
    expect(load("").history.kinds).toEqual({});
    expect(load("history:\n  kinds:\n    # boat: {}\n").history.kinds).toEqual({});
    const text = [
      "history:",
      "  events: 9",
      "  kinds:",
      "    boat: { events: 1000, age_seconds: 3600, bytes: 0 }",
      "    berth-list:",
      "      age_seconds: 5",
      "    global:",
    ];
    expect(load(text.join("\n")).history).toEqual({
      events: 9,
      age_seconds: 600,
      bytes: 4_194_304,
      total_bytes: 268_435_456,
      kinds: {
        boat: { events: 1_000, age_seconds: 3_600, bytes: 0 },
        "berth-list": { age_seconds: 5 },
        global: {},
      },
    });
  });

  test("names every fault with its line and path, and the word that was meant", () => {
    const text = [
      "history:",
      "  kinds:",
      "    baot: { events: 1 }",
      "    zebra:",
      "    boat:",
      "      evnts: 1",
      "      colour: red",
      "      events: many",
      "      bytes: -1",
      "      age_seconds:",
      "    berth-list: 5",
      "    global: [1]",
      '    "two words": {}',
      "    constructor: {}",
    ];
    expect(problems(() => load(text.join("\n")))).toEqual([
      `f.yaml:3: history.kinds.baot: ${UNKNOWN}"baot", did you mean "boat"?`,
      `f.yaml:4: history.kinds.zebra: ${UNKNOWN}"zebra"`,
      'f.yaml:6: history.kinds.boat.evnts: expected one of events, age_seconds, bytes, got "evnts", did you mean "events"?',
      'f.yaml:7: history.kinds.boat.colour: expected one of events, age_seconds, bytes, got "colour"',
      'f.yaml:8: history.kinds.boat.events: expected a whole number from 0 to 1,000,000, got "many"',
      "f.yaml:9: history.kinds.boat.bytes: expected a whole number from 0 to 1,073,741,824, got -1",
      "f.yaml:10: history.kinds.boat.age_seconds: expected a whole number from 0 to 31,536,000, got nothing",
      "f.yaml:11: history.kinds.berth-list: expected a map of events, age_seconds, bytes, got 5",
      "f.yaml:12: history.kinds.global: expected a map of events, age_seconds, bytes, got a list",
      `f.yaml:13: history.kinds."two words": ${UNKNOWN}"two words"`,
      `f.yaml:14: history.kinds.constructor: ${UNKNOWN}"constructor"`,
    ]);
  });

  test.each([["5", "5"], ["[]", "a list"], ["[boat]", "a list"], ["boat", '"boat"']])(
    "refuses %s in the place of a map",
    (written, got) => {
      expect(problems(() => load(`history:\n  kinds: ${written}`))).toEqual([
        "f.yaml:2: history.kinds: expected a map from kinds of channels to maps of events, age_seconds, bytes, " +
        `got ${got}`,
      ]);
    },
  );

  test("tells what cannot be read once", () => {
    expect(problems(() => load("history:\n  kinds:\n    boat: { events: .inf }"))).toEqual([
      "f.yaml:3: history.kinds.boat.events: expected a finite number, got another",
    ]);
    expect(problems(() => load("history:\n  kinds:\n    boat: { events: 12345678901234567890 }"))).toEqual([
      "f.yaml:3: history.kinds.boat.events: expected a whole number from 0 to 1,000,000, got 12345678901234567890",
    ]);
  });

  test("takes any kind where the service does not say which it has", () => {
    const { name, ports } = service;
    const text = "history: { kinds: { whatever: { events: 1 } } }";
    expect(loadSettings({ service: { name, ports }, text }).history.kinds).toEqual({
      whatever: { events: 1 },
    });
  });
});

describe("history.kinds from a program", () => {
  const check = (kinds: unknown) => () => {
    const part = { history: { kinds } } as SettingsPart;
    checkNames(part);
    checkSettings(mergeSettings(defaultSettings(service), part), service.kinds);
  };

  test("is held to the same rules", () => {
    expect(check({ boat: { events: 1, bytes: undefined }, global: undefined })).not.toThrow();
    expect(problems(check({ baot: {}, boat: { events: 1.5, evnts: 1 }, global: 5 }))).toEqual([
      `Settings: history.kinds.baot: ${UNKNOWN}"baot", did you mean "boat"?`,
      "Settings: history.kinds.boat.events: expected a whole number from 0 to 1,000,000, got 1.5",
      'Settings: history.kinds.boat.evnts: expected one of events, age_seconds, bytes, got "evnts", did you mean "events"?',
      "Settings: history.kinds.global: expected a map of events, age_seconds, bytes, got 5",
    ]);
    for (const [wrong, got] of [[5, "5"], [[], "a list"], ["boat", '"boat"']]) {
      expect(problems(check(wrong))).toEqual([
        `Settings: history.kinds: expected a map from kinds of channels to maps of events, age_seconds, bytes, got ${got}`,
      ]);
    }
  });
});

test("kindsWithHistory leaves out the ephemeral ones", () => {
  expect(kindsWithHistory({ boat: {}, wake: { ephemeral: true }, berth: { ephemeral: false } }))
    .toEqual(["boat", "berth"]);
});
