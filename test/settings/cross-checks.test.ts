import { describe, expect, test } from "vitest";
import { isLoopback } from "../../src/settings/cross-checks.ts";
import { parseFlags } from "../../src/settings/flags.ts";
import { loadSettings } from "../../src/settings/load.ts";

const service = { name: "akosha", ports: { http: 8682, websocket: 8692 } };
const DEVELOPMENT = "dev-secret-change-in-production";

function load(text: string, environment = {}, args: string[] = []) {
  return () => loadSettings({ service, text, file: "f.yaml", environment, flags: parseFlags(args) });
}

const beyond = (label: string, path: string, host: string) =>
  `${label}: ${path}: expected a loopback address, got "${host}": beyond this machine authentication and TLS are ` +
  "needed, and TLS is not offered yet; set allow_insecure: true to listen there without";

describe("loadSettings across settings", () => {
  test("refuses required authentication without a secret, and names who asked for it", () => {
    const sentence =
      "auth.required: expected a secret beside it (auth.secret), got none: without one no token can be checked";
    expect(load("auth: { required: true }")).toThrow(`f.yaml:1: ${sentence}`);
    expect(load("", { AKOSHA_AUTH_ENABLED: "1" })).toThrow(`AKOSHA_AUTH_ENABLED: ${sentence}`);
    expect(load("auth: { required: true }", { AKOSHA_JWT_SECRET: "s" })().auth.required).toBe(true);
  });

  test("refuses the known development secret outside development mode", () => {
    const sentence =
      "auth.secret: expected a secret of your own, got the development secret that everybody " +
      "knows: set another, or development: true";
    expect(load(`auth: { secret: ${DEVELOPMENT} }`)).toThrow(new Error(`f.yaml:1: ${sentence}`).message);
    expect(load("", { AKOSHA_JWT_SECRET: DEVELOPMENT })).toThrow(`AKOSHA_JWT_SECRET: ${sentence}`);
    expect(load("", { AKOSHA_JWT_SECRET: DEVELOPMENT }, ["--development"])().auth.secret).toBe(DEVELOPMENT);
  });

  test("refuses to listen beyond loopback, also with authentication, unless that is allowed", () => {
    expect(load("websocket:\n  host: 0.0.0.0")).toThrow(beyond("f.yaml:2", "websocket.host", "0.0.0.0"));
    expect(load("auth: { required: true, secret: s }\nhttp: { host: '::' }")).toThrow(
      beyond("f.yaml:2", "http.host", "::"),
    );
    expect(load("", {}, ["--host", "192.0.2.1"])).toThrow(
      `${beyond("--host", "websocket.host", "192.0.2.1")}\n${beyond("--host", "http.host", "192.0.2.1")}`,
    );
    expect(load("allow_insecure: true", {}, ["--host", "0.0.0.0"])().http.host).toBe("0.0.0.0");
  });

  test("does not judge the host and port of a WebSocket side that is switched off", () => {
    const text = "websocket: { enabled: false, host: 0.0.0.0, port: 8682 }";
    expect(load(text)().websocket.enabled).toBe(false);
  });

  test("refuses one port for both, but for 0", () => {
    expect(load("websocket: { port: 8682 }")).toThrow(
      "f.yaml:1: websocket.port: expected a port of its own, got 8682, which is http.port",
    );
    expect(load("http: { port: 8692 }")).toThrow(
      "f.yaml:1: http.port: expected a port of its own, got 8692, which is websocket.port",
    );
    expect(load("websocket: { port: 0 }\nhttp: { port: 0 }")().http.port).toBe(0);
  });

  test("keeps quiet about what only follows from another fault", () => {
    expect(load("auth:\n  required: true\n  secret: 5")).toThrow(
      /^f\.yaml:3: auth\.secret: expected a text that is not empty, got a value that is not shown here$/,
    );
  });
});

describe("isLoopback", () => {
  test.each(["127.0.0.1", "127.255.0.9", "::1", "localhost", "LOCALHOST", "0:0:0:0:0:0:0:1"])(
    "holds for %s",
    (host) => {
      expect(isLoopback(host)).toBe(true);
    },
  );

  test.each([
    "0.0.0.0",
    "::",
    "128.0.0.1",
    "127.0.0.1.example.org",
    "127.0.0.256",
    "127.1",
    "localhost.example",
    "10.0.0.1",
  ])(
    "does not hold for %s",
    (host) => expect(isLoopback(host)).toBe(false),
  );
});
