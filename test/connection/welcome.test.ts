import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { Welcome } from "../../src/connection/welcome.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { createBench } from "../support/connection-bench.ts";
import type { Received } from "../support/linked-socket.ts";

type Mode = "deferred" | "immediate" | "off";

/** Frames in one word each: the type, or `welcome`. */
const words = (frames: Received[]) =>
  frames.map((frame) => frame.event === "session.created" ? "welcome" : frame.type as string);

const FIRST: [string, object | string, string[], string[]][] = [
  // what the client sends first, the answer's order when deferred, the answer without welcome
  ["a request", { type: "request", event: "get_doc", data: { doc_id: "a" } }, ["welcome", "response"], [
    "response",
  ]],
  ["a subscribe request", { type: "request", event: "subscribe", data: { channel: "doc:a" } }, [
    "welcome",
    "response",
  ], ["response"]],
  [
    "a subscribe event",
    { type: "event", event: "subscribe", data: { channel: "doc:a" } },
    ["ack", "welcome"],
    ["ack"],
  ],
  [
    "a subscribe event that is refused",
    { type: "event", event: "subscribe", data: {} },
    ["error", "welcome"],
    ["error"],
  ],
  ["a subscribe type", { type: "subscribe", data: { channel: "doc:a" } }, ["ack", "welcome"], ["ack"]],
  ["an unsubscribe event", { type: "event", event: "unsubscribe", data: { channel: "doc:a" } }, [
    "ack",
    "welcome",
  ], ["ack"]],
  ["an unsubscribe type", { type: "unsubscribe", data: { channel: "doc:a" } }, ["ack", "welcome"], ["ack"]],
  ["a ping", { type: "ping" }, ["pong", "welcome"], ["pong"]],
  ["a ping request", { type: "request", event: "ping" }, ["welcome", "response"], ["response"]],
  ["a query as event", { type: "event", event: "get_doc", data: { doc_id: "a" } }, ["welcome", "response"], [
    "response",
  ]],
  ["an unknown event", { type: "event", event: "hello" }, ["welcome", "error"], ["error"]],
  ["what is no frame", "{", ["welcome", "error"], ["error"]],
];

describe("Welcome", () => {
  test("Welcome comes when the grace time ends and nobody has spoken", async () => {
    const bench = createBench({ settings: { welcome: "deferred" } });
    const client = bench.connect();
    bench.clock.advance(49);
    expect(client.frames).toEqual([]);
    bench.clock.advance(1);
    expect(words(client.frames)).toEqual(["welcome"]);
    expect(client.frames[0]).toMatchObject({
      type: "event",
      room: null,
      correlation_id: null,
      message: "Connected to demo",
      data: {
        server: "demo",
        message: "Connected to demo",
        authenticated: false,
        secure: false,
        tls_mode: "WS",
      },
    });
    expect(client.frames[0]!.data.connection_id).toBe([...bench.connections.keys()][0]);
    expect(words(await bench.ask(client, { type: "request", event: "ping" }))).toEqual(["response"]);
    bench.clock.advance(1_000);
    expect(words(client.frames)).toEqual(["welcome", "response"]);
  });

  for (const [what, frame, deferred, alone] of FIRST) {
    test.each<[Mode, string[]]>([
      ["deferred", deferred],
      ["immediate", ["welcome", ...alone]],
      ["off", alone],
    ])(`Welcome and the answer to ${what} come in the order of mode %s`, async (welcome, expected) => {
      const bench = createBench({ settings: { welcome } });
      const client = bench.connect();
      client.send(frame);
      await bench.settle();
      bench.clock.advance(1_000);
      expect(words(client.frames)).toEqual(expected);
    });
  }

  test("Welcome does not wait for a slow handler, and a frame that needs no answer does not stop its timer", async () => {
    const bench = createBench({ settings: { welcome: "deferred" } });
    const slow = bench.connect();
    expect(words(await bench.ask(slow, { type: "request", event: "wait" }))).toEqual(["welcome"]);
    const quiet = bench.connect();
    expect(await bench.ask(quiet, { type: "ack" })).toEqual([]);
    bench.clock.advance(50);
    expect(words(quiet.frames)).toEqual(["welcome"]);
  });

  test("Welcome is never sent to who has left", () => {
    const bench = createBench({ settings: { welcome: "deferred" } });
    const client = bench.connect();
    client.hangUp();
    bench.clock.advance(1_000);
    expect(client.frames).toEqual([]);
    expect(bench.clock.pending).toBe(0);
  });
});

describe("Welcome with tokens", () => {
  const SECRET = "a secret of tests";

  test.each<[Mode, string[]]>([
    ["deferred", ["response", "welcome"]],
    ["immediate", ["welcome", "response"]],
    ["off", ["response"]],
  ])("Welcome follows a good optional auth in mode %s", async (welcome, expected) => {
    const bench = createBench({ secret: SECRET, settings: { welcome } });
    const client = bench.connect();
    client.request("auth", { token: await bench.token(["read"]) });
    await bench.until(() => client.frames.length >= expected.length);
    expect(words(client.frames)).toEqual(expected);
    if (welcome === "deferred") expect(client.frames[1]!.data.authenticated).toBe(true);
  });

  test.each([["with a secret", SECRET], ["without a secret", undefined]])(
    "Welcome precedes the refusal of a bad optional auth, %s",
    async (_, secret) => {
      const bench = createBench({ ...(secret ? { secret } : {}), settings: { welcome: "deferred" } });
      const client = bench.connect();
      client.request("auth", { token: "x.y.z" });
      await bench.until(() => client.frames.length >= 2);
      expect(words(client.frames)).toEqual(["welcome", "error"]);
      expect(client.frames[1]).toMatchObject({
        error_code: "AUTH_FAILED",
        error_message: "Invalid or expired token",
      });
      expect(client.frames[1]!.correlation_id).toBe("auth");
      expect(client.close).toBeNull();
    },
  );

  test.each<[Mode, string[]]>([
    ["deferred", ["response", "welcome"]],
    ["immediate", ["response", "welcome"]],
    ["off", ["response"]],
  ])("Welcome never precedes the answer to a required auth, mode %s", async (welcome, expected) => {
    const bench = createBench({ secret: SECRET, settings: { welcome, authRequired: true } });
    const client = bench.connect();
    bench.clock.advance(1_000);
    expect(client.frames).toEqual([]);
    client.request("auth", { token: await bench.token(["read"]) });
    await bench.until(() => client.frames.length >= expected.length);
    expect(words(client.frames)).toEqual(expected);
  });

  test("Welcome is deferred for who came with a token in the header, also where tokens are required", async () => {
    const bench = createBench({ secret: SECRET, settings: { welcome: "deferred", authRequired: true } });
    const identity = { userId: "ada", permissions: ["read"], authenticated: true };
    const client = bench.connect({ identity, expiresAt: null });
    expect(words(await bench.ask(client, { type: "subscribe", data: { channel: "doc:a" } })))
      .toEqual(["ack", "welcome"]);
  });
});

describe("a deferred welcome", () => {
  test("waits for what has come in while the process was kept from running", async () => {
    const said: string[] = [];
    const welcome = new Welcome({ mode: "deferred", graceMs: 5 }, systemClock, () => said.push("welcome"));
    const server = createServer((socket) => {
      welcome.start();
      // The client's turn comes only now, and the timer is overdue by then.
      const until = performance.now() + 20;
      while (performance.now() < until);
      socket.once("data", () => {
        welcome.hold();
        said.push("frame");
        socket.end();
      });
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    client.once("connect", () => setImmediate(() => client.write("subscribe")));
    client.resume();
    await once(client, "close");
    server.close();
    expect(said[0]).toBe("frame");
  });
});
