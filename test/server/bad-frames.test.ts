import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createToken } from "../../src/auth/token.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { FrameClient, refusedUpgrade } from "../support/frame-client.ts";
import { type Own, startOwn } from "./own-service.ts";

describe("a client that errs", () => {
  let own: Own;
  let client: FrameClient;
  beforeAll(async () => {
    own = await startOwn();
  });
  afterAll(() => own.server.stop());
  beforeEach(async () => {
    client = await FrameClient.open(own.url);
  });
  afterEach(() => client.close());

  /** The connection is still there, and serves. */
  const lives = async () => {
    const answer = await client.request("look");
    expect(answer).toMatchObject({ type: "response", event: "look" });
  };

  it.each([
    ["no JSON", "{nope"],
    ["nothing", ""],
    ["an array", "[]"],
    ["a number", "5"],
    ["a type that is none", '{"type":"shout"}'],
    ["no type", '{"event":"look"}'],
    ["data that is no object", '{"type":"request","event":"look","data":[]}'],
    ["data that is null", '{"type":"request","event":"look","data":null}'],
    ["a lone surrogate", '{"type":"ping","id":"\\ud800"}'],
    ["deep nesting", `{"type":"ping","data":${"[".repeat(50_000)}`],
    ["binary garbage", Uint8Array.from([0xff, 0xfe, 0x00, 0x80])],
    ["an empty binary frame", new Uint8Array()],
  ])("and sends %s gets DECODE_ERROR and stays", async (_what, frame) => {
    client.send(frame);
    expect(await client.next()).toMatchObject({
      type: "error",
      event: null,
      data: {},
      error_code: "DECODE_ERROR",
      error_message: expect.any(String),
    });
    await lives();
  });

  it("gets the id of a frame back that was JSON and no envelope", async () => {
    client.send({ type: "request", id: "mine", event: "look", data: [] });
    expect(await client.next()).toMatchObject({ error_code: "DECODE_ERROR", correlation_id: "mine" });
  });

  it("may send JSON in a binary frame", async () => {
    client.send(new TextEncoder().encode('{"type":"request","id":"b","event":"look"}'));
    expect(await client.next()).toMatchObject({ type: "response", correlation_id: "b" });
  });

  it("is told which request, field or channel there is not", async () => {
    expect(await client.request("nothing")).toMatchObject({
      error_code: "UNKNOWN_REQUEST",
      error_message: "Unknown request event: nothing",
    });
    expect(await client.request("constructor")).toMatchObject({ error_code: "UNKNOWN_REQUEST" });
    client.send({ type: "request", id: "n" });
    expect(await client.frame((frame) => frame.correlation_id === "n")).toMatchObject({
      error_code: "UNKNOWN_REQUEST",
      error_message: "Unknown request event: None",
    });
    const missing = await client.request("make");
    expect(missing).toMatchObject({ error_code: "INVALID_DATA" });
    expect(missing.error_message).toContain("thing_id");
    for (
      const channel of ["nonsense", "nonsense:1", "thing", "thing:", "global:1", "", 5, null, ["thing:1"], {}]
    ) {
      const answer = await client.request("subscribe", { channel });
      expect(answer, JSON.stringify(channel)).toMatchObject({ type: "error", error_code: "INVALID_CHANNEL" });
    }
    expect(own.server.rooms.size).toBe(0);
    await lives();
  });

  it("may subscribe to what does not exist yet", async () => {
    expect(await client.request("subscribe", { channel: "thing:later" })).toMatchObject({
      data: { status: "subscribed", channel: "thing:later" },
    });
    await client.request("make", { thing_id: "later" });
    expect((await client.event("thing.made", "thing:later")).data.thing_id).toBe("later");
  });

  it.each(["fail_now", "fail_later", "fail_oddly"])(
    "hears SERVER_ERROR where %s throws, and the log why",
    async (name) => {
      const answer = await client.request(name);
      expect(answer).toMatchObject({ type: "error", event: name, error_code: "SERVER_ERROR", data: {} });
      expect(JSON.stringify(answer)).not.toContain("secret");
      const id = /[0-9a-f-]{36}/.exec(answer.error_message)?.[0] ?? "no id";
      const explained = own.log.filter((line) => line.includes(id));
      expect(explained).toHaveLength(1);
      expect(explained[0]).toContain("an inner secret");
      await lives();
    },
  );

  it("is told where an answer is too large for a frame, and where to get it", async () => {
    const answer = await client.request("huge");
    expect(answer).toMatchObject({ type: "error", error_code: "MESSAGE_TOO_LARGE" });
    expect(answer.error_message).toContain("/api/requests/huge");
    await lives();
  });

  it("is closed with 1009 for a frame over 1 MiB, and nobody else is", async () => {
    const other = await FrameClient.open(own.url);
    client.send("x".repeat(1_048_577));
    expect((await client.closed).code).toBe(1009);
    expect(await other.request("look")).toMatchObject({ type: "response" });
    const frame = { type: "ping", id: "largest", pad: "" };
    other.send({ ...frame, pad: "x".repeat(1_048_576 - JSON.stringify(frame).length) });
    expect(await other.frame(({ type }) => type === "pong")).toMatchObject({ correlation_id: "largest" });
    await other.close();
  });
});

describe("websocket.max_connections", () => {
  it("turns one more away with 1013, and lets it in when another has left", async () => {
    const own = await startOwn({ websocket: { max_connections: 2 } });
    const clients = [await FrameClient.open(own.url), await FrameClient.open(own.url)];
    const tooMany = await FrameClient.open(own.url);
    expect(await tooMany.closed).toEqual({ code: 1013, reason: "Server at maximum capacity" });
    expect(tooMany.frames).toEqual([]);
    expect(own.server.connections.size).toBe(2);
    await clients[0]!.close();
    await vi.waitFor(() => expect(own.server.connections.size).toBe(1));
    const another = await FrameClient.open(own.url);
    expect(await another.request("look")).toMatchObject({ type: "response" });
    for (const client of [clients[1]!, another]) await client.close();
    await own.server.stop();
  });

  it("counts those that have not said who they are", async () => {
    const own = await startOwn({
      websocket: { max_connections: 1 },
      auth: { required: true, secret: "only for this test" },
    });
    const silent = await FrameClient.open(own.url);
    const tooMany = await FrameClient.open(own.url);
    expect((await tooMany.closed).code).toBe(1013);
    await silent.close();
    await own.server.stop();
  });
});

describe("an upgrade with a token in its header", () => {
  const SECRET = "only for this test";
  let own: Own;
  beforeAll(async () => {
    own = await startOwn({ auth: { required: true, secret: SECRET } });
  });
  afterAll(() => own.server.stop());

  it("is let in with a good one and needs no auth frame", async () => {
    const token = await createToken({
      secret: SECRET,
      userId: "ada",
      permissions: ["own:read"],
      clock: systemClock,
    });
    const client = await FrameClient.open(own.url, { headers: { authorization: `Bearer ${token}` } });
    expect(await client.request("look")).toMatchObject({ type: "response" });
    expect(await client.request("make", { thing_id: "a" })).toMatchObject({ error_code: "FORBIDDEN" });
    await client.close();
  });

  it("is refused with 401 before the upgrade with a bad one", async () => {
    const refusal = await refusedUpgrade(own.url, { headers: { authorization: "Bearer nonsense" } });
    expect(refusal.status).toBe(401);
    expect(JSON.parse(refusal.body)).toMatchObject({ error_code: "AUTH_FAILED" });
  });
});
