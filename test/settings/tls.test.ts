import { describe, expect, test } from "vitest";
import { settingsOf } from "../../src/server/server-settings.ts";
import { parseFlags } from "../../src/settings/flags.ts";
import { loadSettings } from "../../src/settings/load.ts";
import { defaultSettings, mergeSettings } from "../../src/settings/schema.ts";
import { sessionBuddyService } from "../../services/session-buddy/mod.ts";

const service = { name: "akosha", ports: { http: 8682, websocket: 8692 } };

interface Sources {
  readonly text?: string;
  readonly environment?: Record<string, string>;
  readonly args?: string[];
}

function load({ text = "", environment = {}, args = [] }: Sources) {
  return loadSettings({ service, text, file: "f.yaml", environment, flags: parseFlags(args) });
}

function problems(sources: Sources): string[] {
  try {
    load(sources);
    return [];
  } catch (error) {
    return (error as Error).message.split("\n");
  }
}

const FILES = "cert_file: a.pem, key_file: a.key";

describe("The block tls", () => {
  test("is off by default, and on as soon as a certificate is named", () => {
    expect(load({}).tls).toEqual({
      enabled: false,
      verify_client: false,
      dev_certificate: false,
      cert_file: undefined,
      key_file: undefined,
      ca_file: undefined,
    });
    expect(load({ text: `tls: { ${FILES} }` }).tls.enabled).toBe(true);
    expect(load({ text: `tls: { enabled: false, ${FILES} }` }).tls.enabled).toBe(false);
    expect(load({ text: `tls: { ${FILES} }`, environment: { AKOSHA_TLS_ENABLED: "FALSE" } }).tls.enabled)
      .toBe(false);
  });

  test("follows in settings that a program makes, too", () => {
    const defaults = defaultSettings(service);
    const named = mergeSettings(defaults, { tls: { cert_file: "a.pem", key_file: "a.key" } });
    expect(named.tls.enabled).toBe(true);
    expect(mergeSettings(named, { log: { level: "warn" } }).tls.enabled).toBe(true);
    expect(mergeSettings(defaults, { tls: { ...named.tls, enabled: false } }).tls.enabled).toBe(false);
    expect(settingsOf(sessionBuddyService, { tls: { dev_certificate: true } }).tls.enabled).toBe(true);
    expect(() => settingsOf(sessionBuddyService, { tls: { enabled: true } })).toThrow(
      "Settings: tls.enabled: expected",
    );
  });

  test.each(["AKOSHA_WS", "AKOSHA"])("is read from %s_…", (prefix) => {
    const environment = {
      [`${prefix}_TLS_ENABLED`]: "True",
      [`${prefix}_CERT_FILE`]: "cert",
      [`${prefix}_KEY_FILE`]: "key",
      [`${prefix}_CA_FILE`]: "ca",
      [`${prefix}_VERIFY_CLIENT`]: "TRUE",
    };
    expect(load({ environment }).tls).toEqual({
      enabled: true,
      cert_file: "cert",
      key_file: "key",
      ca_file: "ca",
      verify_client: true,
      dev_certificate: false,
    });
  });

  test("takes the variable with _WS where both are set, and the other where that is empty", () => {
    const both = { AKOSHA_WS_CERT_FILE: "ws", AKOSHA_CERT_FILE: "plain", AKOSHA_KEY_FILE: "key" };
    expect(load({ environment: both }).tls.cert_file).toBe("ws");
    expect(load({ environment: { ...both, AKOSHA_WS_CERT_FILE: "" } }).tls.cert_file).toBe("plain");
  });

  test("prefers a flag to the environment, and that to the file", () => {
    const text = `tls: { enabled: true, cert_file: file, key_file: k }`;
    expect(load({ text, environment: { AKOSHA_CERT_FILE: "variable" } }).tls.cert_file).toBe("variable");
    expect(load({ text: "tls: { dev_certificate: false }", args: ["--dev-certificate"] }).tls)
      .toMatchObject({ enabled: true, dev_certificate: true });
  });

  test("names the variable of a value that is neither true nor false, and never takes it for false", () => {
    expect(problems({ environment: { AKOSHA_WS_TLS_ENABLED: "enabled" } })).toEqual([
      'AKOSHA_WS_TLS_ENABLED: tls.enabled: expected true, 1, yes or on, or false, 0, no or off, got "enabled"',
    ]);
  });
});

describe("Settings of TLS that do not go together are refused:", () => {
  test("TLS without a certificate, and it is said what to do", () => {
    const sentence =
      "tls.enabled: expected a certificate and its key beside it (tls.cert_file, tls.key_file), got none: " +
      "name both, or start with --dev-certificate for one that is made at the start";
    expect(problems({ text: "tls: { enabled: true }" })).toEqual([`f.yaml:1: ${sentence}`]);
    expect(problems({ environment: { AKOSHA_TLS_ENABLED: "true" } })).toEqual([
      `AKOSHA_TLS_ENABLED: ${sentence}`,
    ]);
    expect(problems({ text: "tls: { enabled: true }", args: ["--dev-certificate"] })).toEqual([]);
  });

  test.each([["cert_file", "key_file"], ["key_file", "cert_file"]])(
    "%s without %s, also where TLS is off",
    (given, lacking) => {
      const line =
        `f.yaml:1: tls.${given}: expected tls.${lacking} beside it, got none: a certificate and its key go together`;
      for (const enabled of ["", "enabled: true, ", "enabled: false, "]) {
        expect(problems({ text: `tls: { ${enabled}${given}: x }` })).toEqual([line]);
      }
    },
  );

  test("client certificates without TLS, or without those who issue them", () => {
    expect(problems({ text: "tls: { verify_client: true, ca_file: ca }" })).toEqual([
      "f.yaml:1: tls.verify_client: expected TLS to be on (tls.enabled), got off: without it no client has a certificate",
    ]);
    expect(problems({ text: `tls: { verify_client: true, ${FILES} }` })).toEqual([
      "f.yaml:1: tls.verify_client: expected tls.ca_file beside it, got none: it says whose certificates clients may show",
    ]);
    expect(load({ text: `tls: { ${FILES}, ca_file: ca }` }).tls.verify_client).toBe(false);
  });
});

describe("A host beyond this machine", () => {
  const AUTH = "auth: { required: true, secret: s }\n";
  const TLS = `tls: { ${FILES} }\n`;
  const authentication = "authentication (auth.required)";
  const encryption = "TLS (tls.cert_file, tls.key_file)";

  test.each([
    { name: "nothing", text: "", missing: `${authentication} and ${encryption}` },
    { name: "authentication", text: AUTH, missing: encryption },
    { name: "TLS", text: TLS, missing: authentication },
    { name: "authentication and TLS", text: `${AUTH}${TLS}`, missing: null },
    {
      name: "authentication and a development certificate",
      text: `${AUTH}tls: { dev_certificate: true }`,
      missing: null,
    },
    {
      name: "authentication and TLS that is switched off",
      text: `${AUTH}tls: { enabled: false, ${FILES} }`,
      missing: encryption,
    },
    {
      name: "client certificates",
      text: `tls: { verify_client: true, ca_file: ca, ${FILES} }`,
      missing: authentication,
    },
  ])("with $name needs: $missing", ({ text, missing }) => {
    for (const host of ["0.0.0.0", "::", "192.0.2.1", "rt.example"]) {
      const expected = missing === null
        ? []
        : ["websocket.host", "http.host"].map((path) =>
          `--host: ${path}: expected a loopback address, got "${host}": beyond this machine ${missing} must be on; ` +
          "set allow_insecure: true to listen there without"
        );
      expect(problems({ text, args: ["--host", host] })).toEqual(expected);
      expect(problems({ text: `${text}\nallow_insecure: true`, args: ["--host", host] })).toEqual([]);
      expect(problems({ text: `${text}\nallow_insecure: false`, args: ["--host", host] })).toEqual(expected);
    }
    expect(problems({ text, args: ["--host", "127.0.0.2"] })).toEqual([]);
  });

  test("is judged by port, and not at all where that port stays closed", () => {
    expect(problems({ text: "http: { host: 0.0.0.0 }" })).toHaveLength(1);
    expect(problems({ text: "websocket: { host: 0.0.0.0, enabled: false }" })).toEqual([]);
  });
});
