import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { LIVE_SETTINGS, settingsChange, takeOver } from "../../src/settings/live.ts";
import {
  defaultSettings,
  mergeSettings,
  SETTING_PATHS,
  type SettingsPart,
} from "../../src/settings/schema.ts";

const standard = () => defaultSettings({ name: "own", ports: { http: 1, websocket: 11 } });
const change = (from: SettingsPart, to: SettingsPart) =>
  settingsChange(mergeSettings(standard(), from), mergeSettings(standard(), to), "own");

describe("settingsChange", () => {
  test("is empty where the same was read again", () => {
    expect(change({ hosts: { allowed: ["a"] } }, { hosts: { allowed: ["a"] } })).toEqual({
      live: [],
      restart: [],
    });
  });

  test("tells what can change now from what needs a restart", () => {
    const read = {
      log: { level: "debug" },
      origins: { allowed: ["https://a.example"] },
      http: { port: 2 },
    } as const;
    expect(change({}, { ...read, own: { n: 1 } })).toEqual({
      live: ["origins.allowed", "log.level"],
      restart: ["http.port", "own"],
    });
  });

  test("names what follows from a change, too", () => {
    expect(change({}, { websocket: { message_rate_limit: 10 } }).live).toEqual([
      "websocket.message_rate_limit",
      "websocket.message_burst",
    ]);
  });

  test("leaves the checking of tokens and TLS on or off until a restart", () => {
    expect(change({ auth: { secret: "a" } }, { auth: { secret: "b" } }).live).toEqual(["auth.secret"]);
    expect(change({}, { auth: { secret: "b" } }).restart).toEqual(["auth.secret"]);
    const tls = { cert_file: "c", key_file: "k" };
    expect(change({ tls }, { tls: { ...tls, cert_file: "d" } }).live).toEqual(["tls.cert_file"]);
    expect(change({}, { tls })).toEqual({
      live: [],
      restart: ["tls.enabled", "tls.cert_file", "tls.key_file"],
    });
  });
});

test("takeOver puts values where holders of a block see them", () => {
  const running = mergeSettings(standard(), {});
  const { limits } = running;
  takeOver(running, mergeSettings(standard(), { limits: { http_rate: 7, http_requests: 8 } }), [
    "limits.http_rate",
  ]);
  expect([limits.http_rate, limits.http_requests]).toEqual([7, 1_000]);
});

test("LIVE_SETTINGS are settings, and those that docs/settings.md lists", () => {
  const page = readFileSync(new URL("../../docs/settings.md", import.meta.url), "utf8");
  const section = /^## While it runs$([^]*?)^## /m.exec(page)?.[1] ?? "";
  const listed = [...section.matchAll(/`([a-z]+\.[a-z_]+)`/g)].map(([, path]) => path);
  expect(listed).toEqual(LIVE_SETTINGS);
  expect(SETTING_PATHS).toEqual(expect.arrayContaining([...LIVE_SETTINGS]));
});
