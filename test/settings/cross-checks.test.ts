import { describe, expect, test } from "vitest";
import { isLoopback } from "../../src/settings/cross-checks.ts";
import { parseFlags } from "../../src/settings/flags.ts";
import { loadSettings } from "../../src/settings/load.ts";

const service = { name: "akosha", ports: { http: 8682, websocket: 8692 } };
const DEVELOPMENT = "dev-secret-change-in-production";

function load(text: string, environment = {}, args: string[] = []) {
  return () => loadSettings({ service, text, file: "f.yaml", environment, flags: parseFlags(args) });
}

describe("loadSettings across settings", () => {
  test("refuses required authentication without a secret, and names who asked for it", () => {
    const sentence =
      "auth.required: expected a secret or keys beside it (auth.secret, auth.jwks_url or auth.jwks_file), got none: " +
      "without them no token can be checked";
    expect(load("auth: { required: true }")).toThrow(`f.yaml:1: ${sentence}`);
    expect(load("", { AKOSHA_AUTH_ENABLED: "1" })).toThrow(`AKOSHA_AUTH_ENABLED: ${sentence}`);
    expect(load("auth: { required: true }", { AKOSHA_JWT_SECRET: "s" })().auth.required).toBe(true);
  });

  test("takes keys in place of a secret, from one place", () => {
    const auth = (rest: string) => load(`auth: { required: true, ${rest} }`);
    expect(auth("jwks_url: 'https://login.example.org/keys'")().auth.jwks_url).toBe(
      "https://login.example.org/keys",
    );
    expect(auth("jwks_file: keys.json")().auth.required).toBe(true);
    expect(load("", { AKOSHA_AUTH_ENABLED: "1", AKOSHA_JWKS_FILE: "keys.json" })().auth.jwks_file).toBe(
      "keys.json",
    );
    expect(auth("jwks_file: keys.json, jwks_url: 'https://login.example.org/keys'")).toThrow(
      "f.yaml:1: auth.jwks_file: expected one key set, got two: leave out this one or auth.jwks_url",
    );
  });

  test("takes keys from an https address, over http from this machine alone, and never with a password", () => {
    const sentence =
      "f.yaml:1: auth.jwks_url: expected an https address, or an http address of this machine, without user name and " +
      "password, got ";
    const address = (text: string) => load(`auth: { jwks_url: ${JSON.stringify(text)} }`);
    for (
      const good of ["http://127.0.0.1:9/k", "http://[::1]:9/k", "http://localhost/k", "HTTPS://a.example"]
    ) {
      expect(address(good)().auth.jwks_url, good).toBe(good);
    }
    for (
      const bad of [
        "http://login.example.org/keys",
        "http://127.0.0.1.example.org/keys",
        "ftp://127.0.0.1/keys",
        "file:///etc/keys.json",
        "keys.json",
        "https://",
      ]
    ) expect(address(bad), bad).toThrow(`${sentence}"${bad}"`);
    expect(address("https://ada:secret@login.example.org/keys")).toThrow(
      new RegExp(`^${sentence}a value that is not shown here$`),
    );
  });

  test("takes one issuer and one audience, or lists of them", () => {
    const { auth } = load("auth: { issuer: 'https://a.example', audience: [one, two] }")();
    expect([auth.issuer, auth.audience]).toEqual(["https://a.example", ["one", "two"]]);
    expect(load("", { AKOSHA_JWT_AUDIENCE: "one, two" })().auth.audience).toEqual(["one", "two"]);
    expect(load("auth: { issuer: [''] }")).toThrow(/^f\.yaml:1: auth\.issuer/);
    expect(load("auth: { audience: 5 }")).toThrow("auth.audience: expected an audience like");
  });

  test("refuses the known development secret outside development mode", () => {
    const sentence =
      "auth.secret: expected a secret of your own, got the development secret that everybody " +
      "knows: set another, or development: true";
    expect(load(`auth: { secret: ${DEVELOPMENT} }`)).toThrow(new Error(`f.yaml:1: ${sentence}`).message);
    expect(load("", { AKOSHA_JWT_SECRET: DEVELOPMENT })).toThrow(`AKOSHA_JWT_SECRET: ${sentence}`);
    expect(load("", { AKOSHA_JWT_SECRET: DEVELOPMENT }, ["--development"])().auth.secret).toBe(DEVELOPMENT);
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
