import { describe, expect, test } from "vitest";
import { parseFlags } from "../../src/settings/flags.ts";
import { loadSettings } from "../../src/settings/load.ts";

const service = { name: "session-buddy", ports: { http: 8678, websocket: 8688 } };
const crackerjack = { name: "crackerjack", ports: { http: 8676, websocket: 8686 } };

describe("loadSettings with environment variables", () => {
  test("reads every name", () => {
    const settings = loadSettings({
      service,
      environment: {
        SESSION_BUDDY_JWT_SECRET: "s",
        SESSION_BUDDY_AUTH_ENABLED: "Yes",
        SESSION_BUDDY_TOKEN_EXPIRY: "60",
        SESSION_BUDDY_HOST: "::1",
        SESSION_BUDDY_PORT: "1",
        SESSION_BUDDY_HTTP_PORT: "2",
        SESSION_BUDDY_MAX_CONNECTIONS: "3",
        SESSION_BUDDY_RATE_LIMIT: "4",
        SESSION_BUDDY_LOG_LEVEL: "debug",
        SESSION_BUDDY_STORAGE_PATH: ":memory:",
      },
    });
    expect(settings).toMatchObject({
      websocket: { host: "::1", port: 1, max_connections: 3, message_rate_limit: 4 },
      http: { host: "::1", port: 2 },
      auth: { secret: "s", required: true, token_expiry_seconds: 60 },
      log: { level: "debug" },
      storage: { path: ":memory:" },
    });
  });

  test.each([
    ["true", true],
    ["1", true],
    ["YES", true],
    ["on", true],
    ["false", false],
    ["0", false],
    ["no", false],
    ["Off", false],
    ["", false],
  ])("takes AUTH_ENABLED=%j as %s", (text, expected) => {
    const environment = { SESSION_BUDDY_AUTH_ENABLED: text, SESSION_BUDDY_JWT_SECRET: "s" };
    expect(loadSettings({ service, environment }).auth.required).toBe(expected);
  });

  test("names the variable, the path and what was expected", () => {
    const environment = {
      SESSION_BUDDY_AUTH_ENABLED: "maybe",
      SESSION_BUDDY_PORT: "0x10",
      SESSION_BUDDY_HOST: "a b",
      SESSION_BUDDY_LOG_LEVEL: "loud",
    };
    expect(() => loadSettings({ service, environment })).toThrow(
      [
        'SESSION_BUDDY_HOST: websocket.host, http.host: expected a host name or an IP address, got "a b"',
        'SESSION_BUDDY_PORT: websocket.port: expected a whole number from 0 to 65,535, got "0x10"',
        "SESSION_BUDDY_AUTH_ENABLED: auth.required: expected true, 1, yes or on, or false, 0, no or off, " +
        'got "maybe"',
        'SESSION_BUDDY_LOG_LEVEL: log.level: expected one of "debug", "info", "warn", "error", got "loud"',
      ].join("\n"),
    );
  });

  test("leaves an empty variable out, and other services' variables", () => {
    const environment = { SESSION_BUDDY_PORT: "", MAHAVISHNU_PORT: "5", PORT: "6", SESSION_BUDDY_X: "7" };
    expect(loadSettings({ service, environment }).websocket.port).toBe(8688);
  });

  test("takes BODAI_SHARED_SECRET for crackerjack only, and only without its own variable", () => {
    const shared = { BODAI_SHARED_SECRET: "shared" };
    expect(loadSettings({ service: crackerjack, environment: shared }).auth.secret).toBe("shared");
    expect(loadSettings({ service, environment: shared }).auth.secret).toBeUndefined();
    const both = { ...shared, CRACKERJACK_JWT_SECRET: "own" };
    expect(loadSettings({ service: crackerjack, environment: both }).auth.secret).toBe("own");
    const empty = { ...shared, CRACKERJACK_JWT_SECRET: "" };
    expect(loadSettings({ service: crackerjack, environment: empty }).auth.secret).toBe("shared");
  });

  test("names the flag of a wrong flag value", () => {
    expect(() => loadSettings({ service, flags: parseFlags(["--http-port", "x"]) })).toThrow(
      '--http-port: http.port: expected a whole number from 0 to 65,535, got "x"',
    );
  });
});
