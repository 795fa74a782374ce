import { describe, expect, test } from "vitest";
import type { Verification } from "../../src/auth/token.ts";
import { createBench } from "../support/connection-bench.ts";

const secret = "a secret of tests";
const required = { secret, settings: { authRequired: true } };

describe("Authentication", () => {
  test("Authentication answers a good token, then the client takes part", async () => {
    const bench = createBench(required);
    const client = bench.connect();
    expect(bench.opened).toEqual([]);
    client.send({ type: "request", event: "auth", id: "q", data: { token: await bench.token(["read"]) } });
    await bench.until(() => client.frames.length > 0);
    expect(client.take()).toMatchObject([
      {
        type: "response",
        event: "auth",
        correlation_id: "q",
        data: { status: "authenticated", user_id: "ada" },
        status: "authenticated",
      },
    ]);
    expect(bench.opened).toHaveLength(1);
    expect((await bench.ask(client, { type: "subscribe", room: "doc:a" }))[0]!.type).toBe("ack");
    bench.clock.advance(60_000);
    expect(client.close).toBeNull();
  });

  test("Authentication says user_id null where the token names nobody", async () => {
    const bench = createBench(required);
    const client = bench.connect();
    client.request("auth", { token: await bench.token(["read"], 60, null) });
    await bench.until(() => client.frames.length > 0);
    expect(client.frames[0]!.data).toEqual({ status: "authenticated", user_id: null });
  });

  test.each<[string, object | string, string | null, string | null, string | null, number, string]>([
    [
      "a forged token",
      { type: "request", event: "auth", id: "q", data: { token: "x.y.z" } },
      "AUTH_FAILED",
      "Invalid or expired token",
      "q",
      1008,
      "Authentication failed",
    ],
    [
      "no token",
      { type: "request", event: "auth", id: "q" },
      "AUTH_FAILED",
      "Missing or malformed auth token",
      "q",
      1008,
      "Authentication failed",
    ],
    [
      "a number as token",
      { type: "request", event: "auth", id: "q", data: { token: 5 } },
      "AUTH_FAILED",
      "Missing or malformed auth token",
      "q",
      1008,
      "Authentication failed",
    ],
    [
      "an empty token",
      { type: "request", event: "auth", id: "q", data: { token: "" } },
      "AUTH_FAILED",
      "Missing or malformed auth token",
      "q",
      1008,
      "Authentication failed",
    ],
    [
      "another request",
      { type: "request", event: "subscribe", id: "q", data: { channel: "doc:a" } },
      "AUTH_REQUIRED",
      "Authentication required",
      null,
      1008,
      "Authentication required",
    ],
    [
      "an auth event",
      { type: "event", event: "auth", id: "q" },
      "AUTH_REQUIRED",
      "Authentication required",
      null,
      1008,
      "Authentication required",
    ],
    [
      "a ping",
      { type: "ping", id: "q" },
      "AUTH_REQUIRED",
      "Authentication required",
      null,
      1008,
      "Authentication required",
    ],
    ["what is no frame", "{", null, null, null, 1011, "Authentication error"],
  ])(
    "Authentication ends the connection for %s",
    async (_, frame, code, text, correlation, closeCode, reason) => {
      const bench = createBench(required);
      const client = bench.connect();
      client.send(frame);
      await bench.until(() => client.close !== null);
      bench.clock.tick();
      const told = client.frames.map((
        { type, error_code, error_message, correlation_id },
      ) => [type, error_code, error_message, correlation_id]);
      expect(told).toEqual(code === null ? [] : [["error", code, text, correlation]]);
      expect(client.close).toEqual({ code: closeCode, reason });
      expect(client.closeCalls).toBe(1);
      expect(bench.opened).toEqual([]);
      expect(bench.hub.roomCount).toBe(0);
      expect(bench.connections.size).toBe(0);
    },
  );

  test("Authentication ends at the deadline, not before", () => {
    const bench = createBench(required);
    const client = bench.connect();
    bench.clock.advance(9_999);
    expect(client.close).toBeNull();
    bench.clock.advance(1);
    expect(client.frames).toMatchObject([{
      error_code: "AUTH_REQUIRED",
      error_message: "Authentication required",
    }]);
    expect(client.close).toEqual({ code: 1008, reason: "Authentication required" });
  });

  test("Authentication keeps what a client sends meanwhile, in order", async () => {
    let verified = (_: Verification): void => {};
    const bench = createBench({ ...required, verify: () => new Promise((resolve) => verified = resolve) });
    const client = bench.connect();
    client.request("auth", { token: "t" });
    client.send({ type: "subscribe", room: "doc:a", id: "1" });
    client.send({ type: "ping", id: "2" });
    await bench.settle();
    expect(client.frames).toEqual([]);
    expect(client.socket.paused).toBe(true);
    verified({
      ok: true,
      identity: { userId: "ada", permissions: ["read"], authenticated: true },
      expiresAt: null,
    });
    await bench.settle();
    expect(client.frames.map(({ correlation_id }) => correlation_id)).toEqual(["auth", "1", "2"]);
    expect(client.socket.paused).toBe(false);
  });

  test("Authentication ends so that the client comes back where its token cannot be checked", async () => {
    const bench = createBench({
      ...required,
      verify: () => Promise.resolve({ ok: false, reason: "unavailable" }),
    });
    const client = bench.connect();
    client.request("auth", { token: "t" });
    await bench.until(() => client.close !== null);
    expect(client.frames).toMatchObject([{ error_code: "NOT_AVAILABLE", correlation_id: "auth" }]);
    expect(client.close).toEqual({ code: 1011, reason: "Authentication error" });
  });

  test("Authentication that ends while a token is checked stays ended", async () => {
    let verified = (_: Verification): void => {};
    const bench = createBench({ ...required, verify: () => new Promise((resolve) => verified = resolve) });
    const client = bench.connect();
    client.request("auth", { token: "t" });
    bench.clock.advance(10_000);
    verified({
      ok: true,
      identity: { userId: "ada", permissions: [], authenticated: true },
      expiresAt: null,
    });
    await bench.settle();
    expect(client.frames.map(({ error_code }) => error_code)).toEqual(["AUTH_REQUIRED"]);
    expect(bench.opened).toEqual([]);
  });

  test("Authentication: refresh_token takes a new token, and a bad one leaves everything as it was", async () => {
    const bench = createBench(required);
    const client = bench.connect();
    client.request("auth", { token: await bench.token(["read"], 60) });
    await bench.until(() => client.take().length > 0);
    await bench.ask(client, { type: "subscribe", room: "doc:a" });
    client.request("refresh_token", { token: "x" });
    await bench.until(() => client.frames.length >= 3);
    expect(client.take()).toMatchObject([{
      error_code: "AUTH_FAILED",
      error_message: "Invalid or expired token",
    }]);
    client.request("refresh_token", { token: await bench.token(["read"], 3600) });
    await bench.until(() => client.frames.length >= 4);
    expect(client.take()).toMatchObject([{
      type: "response",
      event: "refresh_token",
      data: { status: "refreshed", user_id: "ada" },
    }]);
    expect(bench.hub.audience("doc:a")).toBe(1);
    const heartbeat = bench.heartbeat(0);
    bench.clock.advance(3_500_000);
    expect(client.close).toBeNull();
    heartbeat.stop();
  });

  test("Authentication: a new token leaves the channels that it does not reach, and says so", async () => {
    const bench = createBench(required);
    const client = bench.connect();
    client.request("auth", { token: await bench.token(["read"]) });
    await bench.until(() => client.take().length > 0);
    await bench.ask(client, { type: "subscribe", room: "doc:a" }, { type: "subscribe", room: "doc:*" }, {
      type: "subscribe",
      room: "global",
    });
    client.request("refresh_token", { token: await bench.token(["write"]) });
    await bench.until(() => client.frames.length >= 7);
    expect(client.take().map(({ type, error_code, room }) => [type, error_code, room])).toEqual([
      ["response", null, null],
      ["error", "FORBIDDEN", "doc:a"],
      ["error", "FORBIDDEN", "doc:*"],
    ]);
    expect([...bench.hub.rooms.keys()]).toEqual(["global"]);
  });

  test("Authentication: a channel and a request that the token does not reach are FORBIDDEN", async () => {
    const bench = createBench(required);
    const client = bench.connect();
    client.request("auth", { token: await bench.token(["write"]) });
    await bench.until(() => client.take().length > 0);
    for (const type of ["request", "event", "subscribe"]) {
      const [reply] = await bench.ask(client, { type, event: "subscribe", room: "doc:a" });
      expect(reply).toMatchObject({
        type: "error",
        error_code: "FORBIDDEN",
        error_message: "Not authorized to subscribe to doc:a",
      });
    }
    const [query] = await bench.ask(client, { type: "request", event: "get_doc", data: {} });
    expect(query).toMatchObject({
      error_code: "FORBIDDEN",
      error_message: "Not authorized to get_doc: needs demo:read",
    });
    expect((await bench.ask(client, { type: "subscribe", room: "global" }))[0]!.type).toBe("ack");
  });

  test("Authentication: what a client asks when its token has expired is not answered", async () => {
    const bench = createBench(required);
    const client = bench.connect();
    client.request("auth", { token: await bench.token(["read"], 30) });
    await bench.until(() => client.take().length > 0);
    // Nothing has looked for expired tokens since.
    bench.clock.advance(29_999);
    expect((await bench.ask(client, { type: "subscribe", room: "doc:a" }))[0]!.type).toBe("ack");
    bench.clock.advance(1);
    client.send({ type: "subscribe", room: "doc:b", id: "late" });
    bench.clock.tick();
    expect(client.take()).toEqual([]);
    expect(client.close).toEqual({ code: 4001, reason: "Token expired" });
    expect(bench.hub.roomCount).toBe(0);
  });

  test("Authentication: an expired token ends the connection with 4001", async () => {
    const bench = createBench(required);
    const client = bench.connect();
    client.request("auth", { token: await bench.token(["read"], 30) });
    await bench.until(() => client.take().length > 0);
    bench.heartbeat();
    bench.clock.advance(29_000);
    expect(client.close).toBeNull();
    bench.clock.advance(1_000);
    expect(client.close).toEqual({ code: 4001, reason: "Token expired" });
    expect(bench.connections.size).toBe(0);
  });
});
