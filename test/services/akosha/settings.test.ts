import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { akoshaSettings } from "../../../services/akosha/domain/settings.ts";

const rule = { event: "test.completed", metric: "failed", value: "/tests_failed" };
const feed = (more: object) => ({
  feeds: { a: { url: "ws://127.0.0.1:1", channels: { global: [rule] }, ...more } },
});
const faults = (settings: unknown) =>
  v.safeParse(akoshaSettings, settings).issues?.map((issue) => `${v.getDotPath(issue)}: ${issue.message}`) ??
    [];

describe("settings of akosha", () => {
  it("listen to crackerjack and mahavishnu where nothing is said, and to nobody where feeds are empty", () => {
    const { feeds } = v.parse(akoshaSettings, {});
    expect(Object.entries(feeds).map(([name, { url }]) => `${name} ${url}`)).toEqual([
      "crackerjack ws://127.0.0.1:8686",
      "mahavishnu ws://127.0.0.1:8690",
    ]);
    expect(v.parse(akoshaSettings, { feeds: {} }).feeds).toEqual({});
  });

  it.each([
    ["an address that is none", feed({ url: "http://127.0.0.1:1" }), "feeds.a.url: expected an address like"],
    [
      "credentials in an address",
      feed({ url: "ws://me:secret@host" }),
      "feeds.a.url: expected an address like",
    ],
    ["no channel", feed({ channels: {} }), "feeds.a.channels: expected at least one channel"],
    ["no rule", feed({ channels: { global: [] } }), "feeds.a.channels.global: expected at least one rule"],
    [
      "a kind and one of it",
      feed({ channels: { "test:*": [rule], "test:a": [rule] } }),
      "feeds.a.channels: expected either all channels of a kind",
    ],
    [
      "something expected without a scale",
      feed({ channels: { global: [{ ...rule, expected: 0 }] } }),
      "feeds.a.channels.global.0: expected a scale beside",
    ],
    [
      "a value that is no pointer",
      feed({ channels: { global: [{ ...rule, value: "tests_failed" }] } }),
      "feeds.a.channels.global.0.value: expected a JSON pointer into",
    ],
    [
      "an infinite threshold",
      { anomaly_threshold: Infinity },
      "anomaly_threshold: expected a number from 2 to 100",
    ],
    [
      "an allowance of many windows",
      { window_seconds: 1, lateness_seconds: 11 },
      "null: expected lateness_seconds to be at most ten times window_seconds",
    ],
  ])("refuse %s", (_, settings, fault) => {
    const [first = "nothing"] = faults(settings);
    expect(first.slice(0, fault.length)).toBe(fault);
  });
});
