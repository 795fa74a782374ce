/**
 * Limits of WebSocket connections, each at its edge: the Nth is taken, the one after it is not.
 */
import { afterEach, describe, expect, it, vi } from "vitest";
import type { SettingsPart } from "../../src/settings/schema.ts";
import { FrameClient } from "../support/frame-client.ts";
import { type Limited, startLimited } from "./limited-service.ts";

const PATIENCE = { timeout: 20_000 };

let limited: Limited;
const clients: FrameClient[] = [];

async function start(settings: SettingsPart): Promise<void> {
  limited = await startLimited(settings);
}

async function connect(from = "127.0.0.1"): Promise<FrameClient> {
  const client = await FrameClient.open(limited.url(), { localAddress: from });
  clients.push(client);
  return client;
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.ws.terminate();
  for (const letGo of limited.waiting.splice(0)) letGo();
  await limited.server.stop();
});

describe("websocket.max_connections", () => {
  it("takes as many as there may be, also such as have not said who they are, and sends one more away", async () => {
    await start({
      websocket: { max_connections: 2 },
      auth: { required: true, secret: "a secret of thirty-two characters" },
    });
    const silent = [await connect(), await connect()];
    const third = await connect();
    expect(await third.closed).toEqual({ code: 1013, reason: "Server at maximum capacity" });
    expect(third.frames).toEqual([]);
    expect(limited.server.connections.size).toBe(2);
    await silent[0]!.close();
    await vi.waitFor(() => expect(limited.server.connections.size).toBe(1), PATIENCE);
    expect((await connect()).ws.readyState).toBe(1);
    await vi.waitFor(() => expect(limited.server.connections.size).toBe(2), PATIENCE);
  });

  it("counts whom it sends away", async () => {
    await start({ websocket: { max_connections: 1 } });
    await connect();
    for (let i = 0; i < 3; i++) expect((await (await connect()).closed).code).toBe(1013);
    expect(await limited.reached("max_connections")).toBe(3);
  });

  it("0 is no limit", async () => {
    await start({ websocket: { max_connections: 0 } });
    for (let i = 0; i < 20; i++) {
      expect(await (await connect()).request("look")).toMatchObject({ type: "response" });
    }
  });
});

describe("limits.connections_per_address", () => {
  it("takes as many of one address as there may be, and of another one too", async () => {
    await start({ limits: { connections_per_address: 2, loopback_exempt: false } });
    const first = await connect();
    await connect();
    const third = await connect();
    expect(await third.closed).toEqual({ code: 1013, reason: "Too many connections from this address" });
    expect(await limited.reached("connections_per_address")).toBe(1);
    const other = await connect("127.0.0.2");
    expect(await other.request("look")).toMatchObject({ type: "response" });
    await first.close();
    await vi.waitFor(() => expect(limited.server.connections.size).toBe(2), PATIENCE);
    expect(await (await connect()).request("look")).toMatchObject({ type: "response" });
  });

  it.each([
    ["exempts this machine unless told otherwise", { connections_per_address: 2 }],
    ["0 is no limit", { connections_per_address: 0, loopback_exempt: false }],
  ])("%s", async (_what, limits) => {
    await start({ limits });
    for (let i = 0; i < 8; i++) {
      expect(await (await connect()).request("look")).toMatchObject({ type: "response" });
    }
    expect(await limited.reached("connections_per_address")).toBe(0);
  });
});

describe("websocket.message_rate_limit and limits.abuse_seconds", () => {
  const settings = { websocket: { message_rate_limit: 100 }, limits: { abuse_seconds: 10 } };

  it("takes a burst of 150, refuses the next, and takes one more when it has waited", async () => {
    await start(settings);
    const client = await connect();
    for (let i = 0; i < 151; i++) client.send({ type: "ping", id: String(i) });
    await vi.waitFor(() => expect(client.frames).toHaveLength(151), PATIENCE);
    // What is refused is answered before what waits for its turn.
    const refused = client.frames.filter(({ type }) => type === "error");
    expect(refused).toMatchObject([{ error_code: "RATE_LIMIT_EXCEEDED", correlation_id: "150" }]);
    expect(refused[0]!.error_message).toBe("Message rate limit exceeded. Retry after 0.010 seconds.");
    expect(await limited.reached("message_rate_limit")).toBe(1);
    limited.clock.forward(10);
    expect(await client.request("look")).toMatchObject({ type: "response" });
    expect(await client.request("look")).toMatchObject({ error_code: "RATE_LIMIT_EXCEEDED" });
  });

  it("ends a client with 4500 that pauses on purpose between 300 frames and the next", async () => {
    await start(settings);
    const client = await connect();
    let bursts = 0;
    for (; client.ws.readyState === 1 && bursts < 100; bursts++) {
      const last = `last ${bursts}`;
      for (let i = 0; i < 299; i++) client.send({ type: "ping" });
      client.send({ type: "ping", id: last });
      const over = client.closed.then(() => true);
      if (
        await Promise.race([over, client.frame(({ correlation_id }) => correlation_id === last)]) === true
      ) break;
      limited.clock.forward(1_500);
    }
    expect(await client.closed).toEqual({ code: 4500, reason: "Message rate abused" });
    // Twenty bursts in half a minute are not yet too many; in a minute they are.
    expect(bursts).toBeGreaterThan(20);
    expect(bursts).toBeLessThan(40);
    expect(await limited.reached("abuse_seconds")).toBe(1);
  });
});

describe("limits.concurrent_requests", () => {
  it("works on as many requests of a connection as there may be, and reads on when one is answered", async () => {
    await start({ limits: { concurrent_requests: 3 } });
    const [busy, other] = [await connect(), await connect()];
    for (let i = 0; i < 3; i++) busy.send({ type: "request", event: "wait", id: `w${i}` });
    busy.send({ type: "request", event: "look", id: "later" });
    await vi.waitFor(() => expect(limited.waiting).toHaveLength(3), PATIENCE);
    // Another connection is not held up by it, and what came first is still not answered when it is.
    expect(await other.request("look")).toMatchObject({ type: "response" });
    expect(busy.frames).toEqual([]);
    expect(await limited.reached("concurrent_requests")).toBe(1);
    limited.waiting.shift()!();
    const answers = [await busy.next(), await busy.next()];
    expect(answers.map(({ correlation_id }) => correlation_id)).toEqual(["w0", "later"]);
  });

  it("takes one less without waiting, and 0 is no limit", async () => {
    await start({ limits: { concurrent_requests: 3 } });
    const client = await connect();
    for (let i = 0; i < 2; i++) client.send({ type: "request", event: "wait" });
    expect(await client.request("look")).toMatchObject({ type: "response" });
    for (const letGo of limited.waiting.splice(0)) letGo();
    await limited.server.stop();
    await start({ limits: { concurrent_requests: 0 } });
    const free = await connect();
    for (let i = 0; i < 140; i++) free.send({ type: "request", event: "wait" });
    expect(await free.request("look")).toMatchObject({ type: "response" });
    expect(limited.waiting).toHaveLength(140);
  });

  it("ends a connection in order whose requests all wait", async () => {
    await start({ limits: { concurrent_requests: 1 } });
    const client = await connect();
    for (let i = 0; i < 100; i++) client.send({ type: "request", event: "wait" });
    await vi.waitFor(() => expect(limited.waiting).toHaveLength(1), PATIENCE);
    await limited.server.stop();
    expect(await client.closed).toMatchObject({ code: 1001 });
  });
});

describe("limits.channels_per_connection and limits.channel_name_characters", () => {
  it("takes as many channels as there may be, and one more when one was left", async () => {
    await start({ limits: { channels_per_connection: 2 } });
    const client = await connect();
    const subscribe = (channel: string) => client.request("subscribe", { channel });
    expect(await subscribe("thing:a")).toMatchObject({ type: "response" });
    expect(await subscribe("thing:*")).toMatchObject({ type: "response" });
    expect(await subscribe("thing:c")).toMatchObject({ error_code: "TOO_MANY_CHANNELS" });
    expect(await subscribe("thing:a")).toMatchObject({ type: "response" });
    expect(await limited.reached("channels_per_connection")).toBe(1);
    await client.request("unsubscribe", { channel: "thing:a" });
    expect(await subscribe("thing:c")).toMatchObject({ type: "response" });
  });

  it("takes a channel's name of as many characters as it may have", async () => {
    await start({ limits: { channel_name_characters: 20 } });
    const client = await connect();
    const channel = `thing:${"x".repeat(14)}`;
    expect(await client.request("subscribe", { channel })).toMatchObject({ type: "response" });
    expect(await client.request("subscribe", { channel: `${channel}x` }))
      .toMatchObject({ error_code: "INVALID_CHANNEL" });
  });
});

describe("limits.message_bytes", () => {
  it("takes a message of as many bytes as it may have, and ends with 1009 at one more", async () => {
    await start({ limits: { message_bytes: 2_000 } });
    const client = await connect();
    const frame = (bytes: number) => {
      const short = JSON.stringify({ type: "request", event: "look", id: "x", data: { pad: "" } });
      return short.replace('"pad":""', `"pad":"${"p".repeat(bytes - short.length)}"`);
    };
    client.send(frame(2_000));
    expect(await client.next()).toMatchObject({ type: "response", correlation_id: "x" });
    client.send(frame(2_001));
    expect((await client.closed).code).toBe(1009);
    expect(await limited.reached("message_bytes")).toBe(1);
  });
});
