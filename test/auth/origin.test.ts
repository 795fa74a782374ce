import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createOriginRule, type OriginRuleOptions } from "../../src/auth/origin.ts";

const HOST = "127.0.0.1:8690";

function setUp(options: Partial<OriginRuleOptions> = {}) {
  const rule = createOriginRule({
    ownPorts: [8680, 8690, 443],
    allowedOrigins: [],
    allowedHosts: [],
    ...options,
  });
  return {
    fromHost: (host: string | null | undefined) => rule.check({ host, origin: null }).ok,
    fromOrigin: (origin: string | null | undefined) => rule.check({ host: HOST, origin }).ok,
    message: (host: string | null, origin: string | null) => {
      const verdict = rule.check({ host, origin });
      return verdict.ok ? null : verdict.message;
    },
  };
}

describe("createOriginRule, Host", () => {
  test("a rule accepts loopback names on any port", () => {
    const { fromHost } = setUp();
    const good = [
      "localhost",
      "localhost:8690",
      "LocalHost:1",
      "localhost.:8690",
      "localhost:",
      "127.0.0.1",
      "127.8.9.10:65535",
      "127.1:80",
      "[::1]",
      "[::1]:8690",
      "[0:0:0:0:0:0:0:1]:8690",
      "[0000::0001]",
    ];
    for (const host of good) expect(fromHost(host), host).toBe(true);
  });

  test("a rule refuses every other name, and no Host header", () => {
    const { fromHost } = setUp();
    const bad = [
      null,
      undefined,
      "",
      " ",
      "evil.example",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "evil.example:8690",
      "0.0.0.0:8690",
      "[::]:8690",
      "192.168.1.5",
      "[::ffff:127.0.0.1]",
      "[fe80::1%25lo]",
      "localhost..",
      "localhost@evil.example",
      "evil.example@localhost",
      "user:localhost",
      "localhost/",
      "localhost/evil",
      "localhost\\evil",
      "localhost?",
      "localhost#evil",
      "local\thost",
      "localhost, evil.example",
      "localhost evil",
      "localhost:99999",
      "localhost:80:80",
      "localhost:-1",
      "::1",
      "[::1",
      "[::1]]",
      "[]",
      "[:::1]",
      ".",
      "%6cocalhost",
      "ｌocalhost",
      "http://localhost",
    ];
    for (const host of bad) expect(fromHost(host), String(host)).toBe(false);
  });

  test("a rule accepts hosts that it was given, with a port only where one was given", () => {
    const { fromHost } = setUp({
      allowedHosts: ["RT.example.", "one.example:8690", "web.example:443"],
      extraHosts: ["192.168.1.5", "fd00::5", "[fd00::6]:8690"],
    });
    const good = ["rt.example", "rt.EXAMPLE.:9", "one.example:8690", "web.example", "192.168.1.5:8690"];
    for (const host of [...good, "[fd00::5]:1", "[fd00:0::5]", "[fd00::6]:8690"]) {
      expect(fromHost(host), host).toBe(true);
    }
    for (const host of ["one.example", "one.example:8691", "a.rt.example", "web.example:8690", "[fd00::6]"]) {
      expect(fromHost(host), host).toBe(false);
    }
  });

  test("a rule with '*' accepts every well-formed host and no other", () => {
    const { fromHost } = setUp({ allowedHosts: ["*"] });
    expect(fromHost("evil.example:5")).toBe(true);
    expect(fromHost("a@b")).toBe(false);
    expect(fromHost(null)).toBe(false);
  });
});

describe("createOriginRule, Origin", () => {
  test("a rule lets programs in, which send no Origin", () => {
    const { fromOrigin } = setUp();
    expect(fromOrigin(null)).toBe(true);
    expect(fromOrigin(undefined)).toBe(true);
  });

  test("a rule accepts pages of this machine on the services' ports", () => {
    const { fromOrigin } = setUp();
    const good = [
      "http://localhost:8680",
      "https://localhost:8690",
      "HTTP://LOCALHOST:8680",
      "http://localhost.:8680",
      "http://127.0.0.1:8690",
      "http://127.255.255.254:8690",
      "http://[::1]:8690",
      "http://[0:0:0:0:0:0:0:1]:8690",
      "https://localhost",
    ];
    for (const origin of good) expect(fromOrigin(origin), origin).toBe(true);
  });

  test("a rule accepts a page of the very address that is called, where that is this machine's", () => {
    const rule = createOriginRule({ ownPorts: [], allowedOrigins: [], allowedHosts: ["app.example"] });
    const ask = (host: string, origin: string) => rule.check({ host, origin }).ok;
    expect(ask("localhost:3000", "http://localhost:3000")).toBe(true);
    expect(ask("[::1]:3000", "http://[::1]:3000")).toBe(true);
    expect(ask("localhost:3000", "http://localhost:3001")).toBe(false);
    expect(ask("127.0.0.1:3000", "http://localhost:3000")).toBe(false);
    expect(ask("localhost", "http://localhost")).toBe(false);
    expect(ask("app.example:3000", "http://app.example:3000")).toBe(false);
  });

  test("a rule refuses every other page", () => {
    const { fromOrigin } = setUp();
    const bad = [
      "",
      "null",
      "NULL",
      " null ",
      "http://localhost",
      "http://localhost:8681",
      "http://localhost:3000",
      "http://evil.example",
      "http://evil.example:8690",
      "http://localhost.evil.example:8690",
      "http://127.0.0.1.evil.example:8690",
      "http://evil-localhost:8690",
      "http://localhost:8690@evil.example",
      "http://evil.example@localhost:8690",
      "http://localhost:8690/",
      "http://localhost:8690/x",
      "http://localhost:8690?x",
      "http://localhost:8690#x",
      "http://localhost:8690\\.evil.example",
      "http:localhost:8690",
      "http:/localhost:8690",
      "http:///localhost:8690",
      "//localhost:8690",
      "localhost:8690",
      "ws://localhost:8690",
      "file://localhost:8690",
      "chrome-extension://localhost:8690",
      "http://localhost:8690 http://evil.example",
      "http://localhost:8690, http://localhost:8690",
      " http://localhost:8690",
      "http://local\nhost:8690",
      "http://[::1:8690",
      "http://[::ffff:127.0.0.1]:8690",
      "http://0.0.0.0:8690",
      "http://[::]:8690",
      "http://192.168.1.5:8690",
    ];
    for (const origin of bad) expect(fromOrigin(origin), origin).toBe(false);
  });

  test("a rule accepts allowed origins in every way of writing them, and nothing near them", () => {
    const { fromOrigin } = setUp({
      allowedOrigins: [
        "https://App.Example",
        "http://dash.example:3000/",
        "vscode-webview://1abc",
        "http://[FD00::5]:80",
      ],
    });
    const good = [
      "https://app.example",
      "https://app.example:443",
      "http://dash.example:3000",
      "vscode-webview://1abc",
    ];
    for (const origin of [...good, "http://[fd00:0:0::5]"]) expect(fromOrigin(origin), origin).toBe(true);
    const bad = [
      "http://app.example",
      "https://app.example:8443",
      "https://a.app.example",
      "https://dash.example:3000",
    ];
    for (const origin of [...bad, "vscode-webview://1abcd", "null"]) {
      expect(fromOrigin(origin), origin).toBe(false);
    }
  });

  test("a rule with '*' accepts every origin but the one that hides itself", () => {
    const { fromOrigin } = setUp({ allowedOrigins: ["*"] });
    expect(fromOrigin("https://evil.example")).toBe(true);
    expect(fromOrigin("null")).toBe(false);
    expect(fromOrigin("https://a@b")).toBe(false);
  });

  test("a rule judges the host first, whatever the origin", () => {
    const { message } = setUp({ allowedOrigins: ["*"] });
    expect(message("evil.example:8690", "http://localhost:8690")).toContain("host 'evil.example:8690'");
  });
});

describe("createOriginRule", () => {
  test("createOriginRule refuses malformed settings and names them", () => {
    for (const origin of ["", "app.example", "https://app.example/path", "https://a@b", "null", "https://"]) {
      expect(() => setUp({ allowedOrigins: [origin] }), origin).toThrow(`origin '${origin}'`);
    }
    for (const host of ["", "http://rt.example", "a b", "rt.example/x", "[::1"]) {
      expect(() => setUp({ allowedHosts: [host] }), host).toThrow(`host '${host}'`);
    }
  });

  test("a refusal names what came, short and in plain characters", () => {
    const { message } = setUp();
    expect(message(HOST, "https://evil.example")).toBe(
      "Cannot accept origin 'https://evil.example': expected a page of this machine's own services or one of the " +
        "setting 'origins.allowed'; add it there if that page is to connect",
    );
    expect(message(null, null)).toMatch(/^Cannot accept a request without a Host header/);
    expect(message(HOST, "null")).toMatch(/^Cannot accept origin 'null'/);
    const long = message(`<b>'\r\n\u0007é${"x".repeat(500)}`, null)!;
    expect(long).toMatch(/^[\x20-\x7e…]+$/);
    expect(long.length).toBeLessThan(220);
  });

  test("a rule accepts of any headers only what is loopback, and never fails", () => {
    const { fromHost, fromOrigin } = setUp();
    const pieces = fc.array(
      fc.constantFrom(
        ..."@:/\\.[]#?%_- \t",
        "localhost",
        "127.0.0.1",
        "::1",
        "evil",
        "8690",
        "http://",
        "https:",
        "0x7f",
      ),
      { maxLength: 8 },
    ).map((parts) => parts.join(""));
    const text = fc.oneof(fc.string({ unit: "binary" }), pieces);
    const loopback = (url: string): boolean => {
      const { hostname, username, password } = new URL(url);
      return username + password === "" && /^(localhost\.?|127(\.\d+){3}|\[::1\])$/.test(hostname);
    };
    fc.assert(
      fc.property(text, (value) => {
        if (fromHost(value)) expect(loopback(`http://${value}`), value).toBe(true);
        for (const origin of [value, `http://${value}`, `http://${value}:8690`]) {
          if (!fromOrigin(origin)) continue;
          expect(loopback(origin), origin).toBe(true);
          expect(new URL(origin).origin.replace(/\.(?=:|$)/, ""), origin).toBe(
            new URL(origin).href.replace(/\/$/, "").replace(/\.(?=:|$)/, ""),
          );
        }
      }),
      { numRuns: 500 },
    );
  });
});
