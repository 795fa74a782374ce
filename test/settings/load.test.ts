import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { parseFlags } from "../../src/settings/flags.ts";
import { loadSettings } from "../../src/settings/load.ts";
import type { LoadOptions } from "../../src/settings/load.ts";
import { MAX_YAML_CHARACTERS } from "../../src/settings/read-yaml.ts";
import { defaultSettings } from "../../src/settings/schema.ts";
import { SettingsError } from "../../src/settings/settings-error.ts";

const service = { name: "session-buddy", ports: { http: 8678, websocket: 8688 } };

function load(options: Partial<LoadOptions> = {}) {
  return loadSettings({ service, file: "f.yaml", ...options });
}

function problems(options: Partial<LoadOptions>): readonly string[] {
  try {
    load(options);
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    const { message, problems } = error as SettingsError;
    if (problems.length <= 50) expect(message).toBe(problems.join("\n"));
    return problems;
  }
  return [];
}

describe("loadSettings", () => {
  test("gives the defaults where nothing is said", () => {
    const settings = load();
    expect(settings).toEqual(defaultSettings(service));
    expect(settings).toMatchObject({
      websocket: { enabled: true, host: "127.0.0.1", port: 8688, max_connections: 1000, message_burst: 150 },
      http: { host: "127.0.0.1", port: 8678 },
      storage: { path: "data/session-buddy.db" },
      broker: "memory",
      own: {},
    });
    expect(settings.auth.secret).toBeUndefined();
  });

  test.each([
    "",
    "# nothing\n",
    "---\n",
    "websocket:\n  # port: 1\nsession-buddy:\n",
    "\ufeffwebsocket: {}\n",
  ])(
    "takes a text that sets nothing, like %j, as the defaults",
    (text) => expect(load({ text })).toEqual(defaultSettings(service)),
  );

  test("lets a flag win over the environment, that over the file, and that over the default", () => {
    const text = "websocket: { port: 1111 }";
    const environment = { SESSION_BUDDY_PORT: "2222" };
    const flags = parseFlags(["--port", "3333"]);
    expect(load().websocket.port).toBe(8688);
    expect(load({ text }).websocket.port).toBe(1111);
    expect(load({ text, environment }).websocket.port).toBe(2222);
    expect(load({ text, environment, flags }).websocket.port).toBe(3333);
  });

  test("takes a service's own defaults before the common ones, and the file before both", () => {
    const own = { ...service, defaults: { websocket: { welcome_event: "welcome" }, own: { a: 1, b: 2 } } };
    expect(load({ service: own }).websocket.welcome_event).toBe("welcome");
    const text = "websocket: { welcome_event: hello }\nsession-buddy: { b: 3 }";
    const settings = load({ service: own, text });
    expect(settings.websocket.welcome_event).toBe("hello");
    expect(settings.own).toEqual({ a: 1, b: 3 });
  });

  test("makes the burst one and a half times the rate, unless it is set", () => {
    const burst = (text: string) => load({ text }).websocket.message_burst;
    expect(burst("websocket: { message_rate_limit: 3 }")).toBe(4.5);
    expect(burst("websocket: { message_rate_limit: 3, message_burst: 7 }")).toBe(7);
    const environment = { SESSION_BUDDY_RATE_LIMIT: "20" };
    expect(load({ environment }).websocket.message_burst).toBe(30);
  });

  test("refuses an unknown key and tells the nearest one, here or in another block", () => {
    const text = [
      "websocket:",
      "  prot: 1",
      "  hsot: localhost",
      "  secret: hidden",
      "webscoket: {}",
      "port: 8688",
      '"a\\nb": 1',
      "http:",
      "  zzz: 1",
    ].join("\n");
    expect(problems({ text })).toEqual([
      'f.yaml:2: websocket.prot: expected a setting of "websocket", got "prot", did you mean "port"?',
      'f.yaml:3: websocket.hsot: expected a setting of "websocket", got "hsot", did you mean "host"?',
      'f.yaml:4: websocket.secret: expected a setting of "websocket", got "secret", did you mean "auth.secret"?',
      'f.yaml:5: webscoket: expected a known block or setting, got "webscoket", did you mean "websocket"?',
      'f.yaml:6: port: expected a known block or setting, got "port", did you mean "websocket.port"?',
      'f.yaml:7: "a\\nb": expected a known block or setting, got "a\\nb"; known here: websocket, http, auth, ' +
      "tls, origins, hosts, history, limits, heartbeat, presence, idempotency, storage, log, shutdown, broker, " +
      "development, allow_insecure, session-buddy",
      'f.yaml:9: http.zzz: expected a setting of "http", got "zzz"; known here: host, port',
    ]);
  });

  test.each([
    ["websocket: { port: eighty }", 'websocket.port: expected a whole number from 0 to 65,535, got "eighty"'],
    ['websocket: { port: "8688" }', 'websocket.port: expected a whole number from 0 to 65,535, got "8688"'],
    ["websocket: { port: 80.5 }", "websocket.port: expected a whole number from 0 to 65,535, got 80.5"],
    ["websocket: { port: 65536 }", "websocket.port: expected a whole number from 0 to 65,535, got 65536"],
    ["websocket: { port: -1 }", "websocket.port: expected a whole number from 0 to 65,535, got -1"],
    [
      "websocket: { port: 99999999999999999999 }",
      "websocket.port: expected a whole number from 0 to 65,535, got 99999999999999999999",
    ],
    ["websocket: { port: }", "websocket.port: expected a whole number from 0 to 65,535, got nothing"],
    ["websocket: { enabled: yes }", 'websocket.enabled: expected true or false, got "yes"'],
    [
      "websocket: { host: http://x }",
      'websocket.host: expected a host name or an IP address, got "http://x"',
    ],
    ["websocket: { host: [] }", "websocket.host: expected a host name or an IP address, got a list"],
    [
      "websocket: { welcome: late }",
      'websocket.welcome: expected one of "deferred", "immediate", "off", got "late"',
    ],
    ["broker: nats", 'broker: expected "memory", the only value so far, got "nats"'],
    ["development: 1", "development: expected true or false, got 1"],
    ["http: 8678", "http: expected a map of settings, got 8678"],
    [
      "heartbeat: { interval_ms: 999 }",
      "heartbeat.interval_ms: expected a whole number from 1,000 to 3,600,000, or 0, got 999",
    ],
    [
      "limits: { message_bytes: 0 }",
      "limits.message_bytes: expected a whole number from 1,024 to 67,108,864, got 0",
    ],
    [
      "origins: { allowed: [https://a.example, b.example] }",
      'origins.allowed[1]: expected a list, each an origin like "https://dashboard.example.org", got "b.example"',
    ],
    [
      "hosts: { allowed: [a.example/x] }",
      'hosts.allowed[0]: expected a list, each a host like "live.example.org" or "live.example.org:8688", got "a.example/x"',
    ],
    ["session-buddy: [1]", "session-buddy: expected a map of settings, got a list"],
    ["storage: { path: '' }", 'storage.path: expected a file\'s path, ":memory:" or "none", got ""'],
  ])("refuses %s", (text, problem) => {
    expect(problems({ text })).toEqual([`f.yaml:1: ${problem}`]);
  });

  test("accepts 0 where it has a meaning, and the ends of a range", () => {
    const text =
      "heartbeat: { interval_ms: 0, timeout_ms: 1000 }\nwebsocket: { port: 0, max_connections: 0 }";
    const settings = load({ text });
    expect(settings.heartbeat).toEqual({ interval_ms: 0, timeout_ms: 1000 });
    expect(settings.websocket).toMatchObject({ port: 0, max_connections: 0 });
    expect(load({ text: "heartbeat: { interval_ms: 3600000 }" }).heartbeat.interval_ms).toBe(3_600_000);
  });

  test("names the line of the very item that is wrong", () => {
    const text = "origins:\n  allowed:\n    - https://a.example\n    - 7\n";
    expect(problems({ text })).toEqual([
      'f.yaml:4: origins.allowed[1]: expected a list, each an origin like "https://dashboard.example.org", got 7',
    ]);
  });

  test.each([
    [
      "a: 'x",
      /^f\.yaml:1: expected a closing quote, bracket or comma, or a blank after the colon, got none$/,
    ],
    [
      "a: [1",
      /^f\.yaml:1: expected keys of one block in one column and brackets closed, got another indentation or an open bracket$/,
    ],
    ["websocket:\n\tport: 1", /^f\.yaml:2: expected blanks as indentation, got a tab$/],
    ["websocket:\n  port: 1\n port: 2", /^f\.yaml:3: expected /],
    ["a: 1\n---\nb: 2", /^f\.yaml:2: expected one document, got a second one after ---$/],
    ["websocket: !!map\n  port: !big 1", /^f\.yaml:2: expected a plain value, got a tag \(!name\)$/],
    ["[a]: 1", /^f\.yaml:1: expected a text as key, got something else$/],
    [
      "host: @x",
      /^f\.yaml:1: expected a value in quotes where it starts with a special character, got it bare$/,
    ],
    ["- 1", /^f\.yaml:1: expected a map of settings, got something else$/],
    ["just words", /^f\.yaml:1: expected a map of settings, got something else$/],
  ])("tells the syntax error of %j", (text, problem) => {
    const [first, ...more] = problems({ text });
    expect(first).toMatch(problem);
    expect(more).toEqual([]);
  });

  test("refuses a key that stands twice, in whatever block", () => {
    const text = "http:\n  port: 1\n  port: 2\nsession-buddy: {a: {b: 1, b: 2}}\nhttp: {}";
    expect(problems({ text })).toEqual([
      "f.yaml:3: http.port: expected the key once, got it a second time after line 2",
      "f.yaml:4: session-buddy.a.b: expected the key once, got it a second time after line 4",
      "f.yaml:5: http: expected the key once, got it a second time after line 1",
    ]);
  });

  test("says of a value that it could not read no second thing", () => {
    const text = "session-buddy: { a: &a 1 }\nwebsocket: { port: *a }\nauth: { required: true, secret: *a }";
    expect(problems({ text })).toEqual([
      "f.yaml:2: websocket.port: expected a value written out, got an alias (*name)",
      "f.yaml:3: auth.secret: expected a value written out, got an alias (*name)",
    ]);
  });

  test("refuses aliases, so that a small text cannot unfold into a large one", () => {
    const text = "session-buddy:\n  a: &a [x, x]\n  b: &b [*a, *a]\n  c: [*b, *b]\n";
    expect(problems({ text })[0]).toBe(
      "f.yaml:3: session-buddy.b[0]: expected a value written out, got an alias (*name)",
    );
    expect(problems({ text: "session-buddy: &a\n  b: *a" })).toHaveLength(1);
  });

  test("refuses a text that is too long or too deep", () => {
    expect(problems({ text: "#".repeat(MAX_YAML_CHARACTERS + 1) })).toEqual([
      "f.yaml: expected at most 262144 characters, got 262145",
    ]);
    expect(problems({ text: `session-buddy: {a: ${"[".repeat(40)}${"]".repeat(40)}}` })).toEqual([
      "f.yaml:1: expected lists and maps at most 32 deep, got deeper ones",
    ]);
    for (
      const unit of [
        "[",
        "{a: ",
        "- ",
        "? ",
        "&a ",
        "!a ",
        "{",
        "'",
        "*a,",
        "a: 1\n",
        "a:\n",
        "%",
        "[a,",
        "zz: ",
      ]
    ) {
      const long = unit.repeat(Math.floor(MAX_YAML_CHARACTERS / 4 / unit.length));
      expect(problems({ text: long }).length, unit).toBeGreaterThan(0);
    }
  }, 20_000);

  test("reads a file of many keys in reasonable time", () => {
    const many = Array.from({ length: 20_000 }, (_, index) => `  k${index}: 1`).join("\n");
    expect(Object.keys(load({ text: `session-buddy:\n${many}` }).own)).toHaveLength(20_000);
  }, 20_000);

  test("shows fifty problems and counts the rest", () => {
    const text = Array.from({ length: 60 }, (_, index) => `zzzz${index}: 1`).join("\n");
    try {
      load({ text });
      expect.unreachable();
    } catch (error) {
      const lines = (error as SettingsError).message.split("\n");
      expect(lines).toHaveLength(51);
      expect(lines.at(-1)).toBe("and 10 more");
      expect((error as SettingsError).problems).toHaveLength(60);
    }
  });

  test("never shows a secret, whichever way it is wrong", () => {
    const secret = "hunter2";
    const wrong: Partial<LoadOptions>[] = [
      { text: `auth: ${secret}` },
      { text: secret },
      { text: `auth: { secret: [${secret}] }` },
      { text: `auth: { secret: *${secret} }` },
      { text: `auth: { secret: !${secret} x }` },
      { text: `auth: { secret: "${secret} }` },
      { text: `auth: { secert: ${secret} }` },
      { text: `auth:\n  secret: ${secret}: x` },
      { text: `auth:\n  secret: @${secret}` },
      { text: `auth:\n  secret: a\n  secret: ${secret}` },
      { text: `session-buddy: ${secret}` },
      {
        text: `session-buddy: { api_key: ${secret} }`,
        service: { ...service, schema: v.object({ api_key: v.number() }) },
      },
      { text: `auth: { required: true, secret: ${secret} }\nbroker: x` },
    ];
    for (const options of wrong) {
      const found = problems(options);
      expect(found.length, options.text).toBeGreaterThan(0);
      expect(found.join("\n")).not.toContain(secret);
    }
    expect(problems({ text: "auth: { secret: 12345 }" })).toEqual([
      "f.yaml:1: auth.secret: expected a text that is not empty, got a value that is not shown here",
    ]);
    expect(problems({ environment: { SESSION_BUDDY_JWT_SECRET: "   " } })).toEqual([
      "SESSION_BUDDY_JWT_SECRET: auth.secret: expected a text that is not empty, got a value that is not shown here",
    ]);
  });

  test("hands the service's own block on as it stands", () => {
    const text =
      "session-buddy:\n  a: { b: [1, x, null, true] }\n  big: 12345678901234567890\n  __proto__: { c: 1 }";
    const { own } = load({ text });
    expect(own.a).toEqual({ b: [1, "x", null, true] });
    expect(own.big).toBe(12345678901234567890n);
    expect(Object.keys(own)).toEqual(["a", "big", "__proto__"]);
    expect(Object.getPrototypeOf(own)).toBe(Object.prototype);
  });

  test("checks the own block where the service has a schema, and names the line", () => {
    const schema = v.strictObject({
      size: v.optional(v.pipe(v.number(), v.maxValue(9)), 5),
      folder: v.string(),
      odd: v.optional(v.pipe(v.number(), v.check((n) => n % 2 === 1, "expected an odd number"))),
    });
    const own = { ...service, schema };
    expect(load({ service: own, text: "session-buddy: { folder: x }" }).own).toEqual({
      size: 5,
      folder: "x",
    });
    expect(problems({ service: own, text: "session-buddy:\n  folder: 5\n  size: 10\n  odd: 2\n  sise: 1" }))
      .toEqual([
        "f.yaml:3: session-buddy.size: expected <=9, got 10",
        "f.yaml:2: session-buddy.folder: expected string, got 5",
        "f.yaml:4: session-buddy.odd: expected an odd number, got 2",
        'f.yaml:5: session-buddy.sise: expected a known setting, got "sise"',
      ]);
    expect(problems({ service: own })).toEqual([
      "f.yaml: session-buddy.folder: expected a value, got nothing",
    ]);
  });

  test("refuses a service with the name of a block", () => {
    expect(() => load({ service: { ...service, name: "log" } })).toThrow(
      new TypeError("Cannot make settings for service 'log': a block of settings has this name"),
    );
  });

  test("names the default file where none is named", () => {
    expect(() => loadSettings({ service, text: "x: 1" })).toThrow(/^settings\/session-buddy\.yaml:1: x: /);
  });
});
