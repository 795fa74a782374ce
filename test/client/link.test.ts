/**
 * The client's connection: when it is made again and when not, who the client says it is, and how a dead one is found.
 */
import { expect, test, vi } from "vitest";
import { type ClientOptions, createClient } from "../../src/client/mod.ts";
import { parseJson, stringifyJson } from "../../src/protocol/json.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { scriptedSockets } from "./scripted-socket.ts";

function setUp(options: Partial<ClientOptions> = {}) {
  const clock = new FakeClock();
  const sockets = scriptedSockets();
  const states: [string, string | null][] = [];
  const errors: unknown[] = [];
  const client = createClient({
    url: "ws://127.0.0.1:8688",
    WebSocket: sockets.WebSocket,
    clock,
    random: () => 1 - Number.EPSILON,
    onState: (state, error) => states.push([state, error?.message ?? null]),
    onError: (error) => errors.push(error),
    ...options,
  });
  return { clock, client, states, errors, ...sockets };
}

test("waits between tries double from half a second to twenty, each a random part of that", () => {
  const { clock, made, newest } = setUp();
  for (const waitMs of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]) {
    newest().ends(1006);
    const before = made.length;
    clock.advance(waitMs - 1);
    expect(made.length, `before ${waitMs} ms`).toBe(before);
    clock.advance(1);
    expect(made.length, `after ${waitMs} ms`).toBe(before + 1);
  }
});

test("a wait may be no wait at all", () => {
  const { clock, made, newest } = setUp({ random: () => 0 });
  newest().ends(1006);
  clock.advance(0);
  expect(made).toHaveLength(2);
});

test("a connection that has lasted makes the next wait short again, one that was only opened does not", () => {
  const { clock, made, newest } = setUp();
  for (let i = 0; i < 3; i++) {
    newest().open();
    newest().ends(1013);
    clock.advance(500 * 2 ** i);
  }
  newest().open();
  newest().ends(1013);
  clock.advance(3_999);
  expect(made).toHaveLength(4);
  clock.advance(1);
  newest().open();
  newest().says({ type: "event", event: "welcome", data: {} });
  clock.advance(10_000);
  newest().ends(1001);
  clock.advance(500);
  expect(made).toHaveLength(6);
});

test.each([1000, 1008, 1009, 4500])("is closed for good by a server that closes with %i", async (code) => {
  const { clock, client, made, newest, states } = setUp();
  newest().open();
  const subscription = client.subscribe("global");
  const waiting = client.request("get_status", {});
  newest().ends(code, "no more");
  clock.advance(60_000);
  expect(made).toHaveLength(1);
  const message = `The server has ended the connection with ${code}: no more`;
  expect(states).toEqual([["open", null], ["closed", message]]);
  await expect(waiting).rejects.toMatchObject({ name: "ClientError", reason: "closed", message });
  await expect(subscription[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    reason: "closed",
    message,
  });
  await expect(client.request("get_status", {})).rejects.toThrow("the client is closed");
  expect(clock.pending).toBe(0);
});

test.each([1001, 1005, 1006, 1011, 1012, 1013, 4000, 4001, 4002, 4499])("comes back after %i", (code) => {
  const { clock, made, newest, states } = setUp();
  newest().open();
  newest().ends(code);
  clock.advance(500);
  expect(made).toHaveLength(2);
  newest().open();
  expect(states.map(([state]) => state)).toEqual(["open", "connecting", "open"]);
});

test("closing ends the connection, all timers and every try", () => {
  const { clock, client, made, newest } = setUp();
  newest().open();
  client.close();
  expect(newest().isClosed).toBe(true);
  const other = setUp();
  other.newest().ends(1006);
  other.client.close();
  other.clock.advance(60_000);
  clock.advance(60_000);
  expect([made.length, other.made.length]).toEqual([1, 1]);
  expect([clock.pending, other.clock.pending]).toEqual([0, 0]);
});

test("a token is the first frame of every connection, fresh for each", async () => {
  let count = 0;
  const { clock, client, made, newest, errors } = setUp({ token: () => Promise.resolve(`token ${++count}`) });
  await vi.waitFor(() => expect(made).toHaveLength(1));
  client.subscribe("global");
  newest().open();
  const [auth, subscribe] = newest().take();
  expect(auth).toMatchObject({ type: "request", event: "auth", data: { token: "token 1" } });
  expect(auth!["correlation_id"]).toBe(auth!["id"]);
  expect(subscribe).toMatchObject({ event: "subscribe", data: { channel: "global" } });
  newest().answers(auth!, { status: "authenticated" });
  newest().ends(4001, "Token expired");
  clock.advance(500);
  await vi.waitFor(() => expect(made).toHaveLength(2));
  newest().open();
  expect(newest().take()[0]).toMatchObject({ event: "auth", data: { token: "token 2" } });
  expect(errors).toEqual([]);
});

test("a token that cannot be got is told, and asked for again", async () => {
  const fault = new Error("no token today");
  let count = 0;
  const { clock, made, errors } = setUp({ token: () => ++count < 3 ? Promise.reject(fault) : "good" });
  for (let tries = 1; tries <= 2; tries++) {
    await vi.waitFor(() => expect(errors).toHaveLength(tries));
    clock.advance(20_000);
  }
  await vi.waitFor(() => expect(made).toHaveLength(1));
  expect(errors).toEqual([fault, fault]);
});

test("a token that is refused by a server that goes on all the same is told", () => {
  const { newest, errors } = setUp({ token: "bad" });
  newest().open();
  newest().refuses(newest().take()[0]!, "AUTH_FAILED", "Invalid or expired token");
  expect(errors).toMatchObject([{ name: "RequestError", code: "AUTH_FAILED" }]);
});

test("at most one subprotocol is offered", () => {
  expect(setUp().newest().protocols).toBeUndefined();
  expect(setUp({ protocol: "mcp-realtime" }).newest().protocols).toEqual(["mcp-realtime"]);
});

test("a silent server is asked whether it is there, and left when it does not say", () => {
  const { clock, made, newest } = setUp({ random: () => 0 });
  newest().open();
  clock.advance(29_000);
  expect(newest().take()).toEqual([]);
  clock.advance(4_000);
  const [ping] = newest().take();
  expect(ping).toMatchObject({ type: "request", event: "ping" });
  newest().refuses(ping!, "UNKNOWN_REQUEST");
  clock.advance(33_000);
  expect(newest().take()).toHaveLength(1);
  clock.advance(13_000);
  expect(made[0]!.isClosed).toBe(true);
  expect(made).toHaveLength(2);
});

test("a connection that does not open in time is given up", () => {
  const { clock, made } = setUp({ random: () => 0 });
  clock.advance(13_000);
  expect(made.length).toBeGreaterThan(1);
  expect(made[0]!.isClosed).toBe(true);
  // What it says now is of no interest any more.
  made[0]!.open();
  expect(made[0]!.take()).toEqual([]);
});

test("a runtime without WebSocket is told what to do", () => {
  vi.stubGlobal("WebSocket", undefined);
  expect(() => createClient({ url: "ws://127.0.0.1:1" })).toThrow("pass one as option 'WebSocket'");
  vi.unstubAllGlobals();
});

test("frames that are none are told and passed over", () => {
  const { newest, errors } = setUp();
  newest().open();
  const nonsense = ["", "x", "null", "7", "[]", '"text"', "{}", '{"type":5}', '{"type":"event","room":7}'];
  for (const text of nonsense) newest().says(text);
  newest().onmessage?.({ data: new ArrayBuffer(3) } as never);
  newest().says({ type: "event", event: "welcome", room: null, data: {} });
  expect(errors).toHaveLength(nonsense.length + 1);
  for (const error of errors) expect(error).toMatchObject({ name: "ClientError", reason: "malformed" });
});

test("a message of more than a mebibyte ends its connection, and is told", () => {
  const { clock, client, made, newest, errors, states } = setUp();
  newest().open();
  newest().says({ type: "event", event: "told", room: "global", data: { text: "x".repeat(1_048_000) } });
  expect([made.length, errors]).toEqual([1, []]);
  newest().says({ type: "event", event: "told", room: "global", data: { text: "x".repeat(1_048_576) } });
  expect(made[0]!.isClosed).toBe(true);
  expect(errors).toMatchObject([{
    reason: "malformed",
    message: expect.stringContaining("at most 1048576"),
  }]);
  clock.advance(500);
  newest().open();
  expect(states.map(([state]) => state)).toEqual(["open", "connecting", "open"]);
  client.close();
});

test("errors are told when whoever made the client has it, and hold up no try", async () => {
  const errors: unknown[] = [];
  let count = 0;
  const { clock, made } = setUp({
    token() {
      if (++count < 3) throw new Error("no token");
      return "good";
    },
    onError: (error) => errors.push(error),
  });
  expect(errors).toEqual([]);
  for (let tries = 1; tries <= 2; tries++) {
    await vi.waitFor(() => expect(errors).toHaveLength(tries));
    clock.advance(20_000);
  }
  await vi.waitFor(() => expect(made).toHaveLength(1));
});

test("the time that a token takes is not the server's", async () => {
  let give: (token: string) => void = () => {};
  const { clock, made, newest } = setUp({ token: () => new Promise((resolve) => give = resolve) });
  clock.advance(25_000);
  give("late");
  await vi.waitFor(() => expect(made).toHaveLength(1));
  clock.advance(9_000);
  newest().open();
  expect(newest().take()[0]).toMatchObject({ event: "auth" });
  expect(made).toHaveLength(1);
});

test("a connection that cannot be made is told, once for as long as the cause is the same", () => {
  const { clock, newest, errors } = setUp({ random: () => 0 });
  for (const message of ["refused", "refused", "no route"]) {
    newest().onerror?.({ message } as never);
    newest().ends(1006);
    clock.advance(0);
  }
  const told = (cause: string) => ({
    reason: "unreachable",
    message: `Cannot connect to ws://127.0.0.1:8688: ${cause}; trying again`,
  });
  expect(errors).toMatchObject([told("refused"), told("no route")]);
});

test("an address that is none of a WebSocket is refused at once", () => {
  for (const url of ["127.0.0.1:8688", "http://127.0.0.1:8688", ""]) {
    expect(() => setUp({ url })).toThrow(
      `Expected an address that begins with ws:// or wss://, got '${url}'`,
    );
  }
});

test("a connection that the server ends or breaks is told with what it has said of that", () => {
  const { clock, newest, states } = setUp({ random: () => 0 });
  const reopened = () => {
    clock.advance(0);
    newest().open();
  };
  newest().open();
  newest().ends(1013, "The server is full");
  reopened();
  newest().ends(4001);
  reopened();
  newest().onerror?.({ message: "Max payload size exceeded" } as never);
  newest().ends(1006);
  reopened();
  newest().ends(1006);
  expect(states.filter(([state]) => state === "connecting").map(([, why]) => why)).toEqual([
    "The server has ended the connection with 1013: The server is full",
    "The server has ended the connection with 4001",
    "The connection broke: Max payload size exceeded",
    null,
  ]);
});

test("a connection that cannot be made is told without what may be secret in its address", () => {
  const { newest, errors } = setUp({ url: "ws://ada:hush@127.0.0.1:8688/live?token=hush#hush" });
  newest().onerror?.({ message: "refused" } as never);
  expect(errors).toMatchObject([{
    message: "Cannot connect to ws://127.0.0.1:8688/live: refused; trying again",
  }]);
});

test("a codec reads and writes frames as it likes, and what it does not take is no frame", async () => {
  const json = {
    parse(text: string) {
      const parsed = parseJson(text);
      if (!parsed.ok) throw new Error(parsed.reason);
      return parsed.value;
    },
    stringify: stringifyJson,
  };
  const { client, newest, errors } = setUp({ json });
  newest().open();
  const large = 2n ** 60n;
  const asked = client.request("count", { n: large });
  const [frame] = newest().take();
  newest().says(`{"type":"response","correlation_id":"${frame!["id"]}","data":{"n":${large + 1n}}}`);
  expect(await asked).toEqual({ n: large + 1n });
  const deep = "[".repeat(200_000) + "]".repeat(200_000);
  newest().says(`{"type":"event","event":"told","room":"global","data":{"a":${deep}}}`);
  expect(errors).toMatchObject([{ name: "ClientError", reason: "malformed" }]);
  client.close();
});

test("what the server says of itself when it greets is told", () => {
  const told: object[] = [];
  const { newest } = setUp({ onWelcome: (data) => void told.push(data) });
  newest().open();
  const data = { connection_id: "c", server: "akosha" };
  newest().says({ type: "event", event: "session.created", room: null, data });
  newest().says({
    type: "event",
    event: "session.created",
    room: "global",
    data: { ...data, server: "dhruva" },
  });
  newest().says({ type: "event", event: "session.created", room: null, data: { server: "dhruva" } });
  expect(told).toEqual([data]);
});
