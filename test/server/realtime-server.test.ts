import { createServer } from "node:net";
import * as v from "valibot";
import { describe, expect, expectTypeOf, it, vi } from "vitest";
import { silentLog } from "../../src/ports/log.ts";
import { ListenError } from "../../src/ports/runtime.ts";
import { defineContract } from "../../src/protocol/contract.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { serverOf } from "../../src/server/broadcast-methods.ts";
import { RealtimeServer } from "../../src/server/realtime-server.ts";
import { defineService } from "../../src/service/define-service.ts";
import { FrameClient } from "../support/frame-client.ts";
import { get, post } from "../support/http-client.ts";
import { bind, freePort } from "../support/serve-process.ts";
import { makeOwnService, type Own, startOwn } from "./own-service.ts";

/** An MCP tool call without a session, as scripts send it. */
const CALL = {
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: { name: "websocket_status", arguments: {} },
};

async function subscribed(own: Own, channel: string): Promise<FrameClient> {
  const client = await FrameClient.open(own.url);
  expect(await client.request("subscribe", { channel })).toMatchObject({ data: { status: "subscribed" } });
  return client;
}

/** What the client has when everything before this has come. */
async function settled(client: FrameClient) {
  await client.request("look");
  return client.frames.filter((frame) => frame.type === "event");
}

describe("RealtimeServer", () => {
  it("has a typed broadcast method for every event, which goes to the channels of the contract", async () => {
    const own = await startOwn();
    const client = await subscribed(own, "thing:a");
    await client.request("subscribe", { channel: "global" });
    expectTypeOf(own.server.broadcastThingMade).parameter(0).toEqualTypeOf<{ thing_id: string }>();
    own.server.broadcastThingMade({ thing_id: "a" });
    own.server.broadcastSystemAnnouncement({ message: "hear, hear" });
    const events = await settled(client);
    expect(events.map(({ event, room }) => `${event} ${room}`)).toEqual([
      "thing.made thing:a",
      "thing.made global",
      "system.announcement global",
    ]);
    expect(events[0]!.id).toBe(events[1]!.id);
    expect(events[2]!.data).toMatchObject({ message: "hear, hear", level: "info", source: "operator" });
    // @ts-expect-error the contract's thing.made has a thing_id
    expect(() => own.server.broadcastThingMade({ thing: "a" })).toThrow(TypeError);
    await client.close();
    await own.server.stop();
  });

  it("publish goes where the contract says, broadcastUpdate to one channel", async () => {
    const own = await startOwn();
    const [a, b] = [await subscribed(own, "thing:a"), await subscribed(own, "thing:b")];
    own.server.publish("thing.noted", { thing_id: "a", note: "routed" });
    own.server.broadcastUpdate("thing.noted", { thing_id: "a", note: "sent" }, "thing:b");
    own.server.broadcastUpdate("thing.noted", { thing_id: "a", note: "nowhere" }, "nonsense:b");
    expect((await settled(a)).map(({ data }) => data.note)).toEqual(["routed"]);
    expect((await settled(b)).map(({ data }) => data.note)).toEqual(["sent"]);
    await Promise.all([a.close(), b.close()]);
    await own.server.stop();
  });

  it("joinRoom and leaveRoom put a client in and take it out", async () => {
    const own = await startOwn();
    const client = await FrameClient.open(own.url);
    await client.request("look");
    const [id = ""] = own.server.connections.keys();
    expect(own.server.joinRoom("thing:a", id)).toBe(true);
    expect(own.server.rooms.get("thing:a")).toEqual(new Set([id]));
    own.server.broadcastThingMade({ thing_id: "a" });
    expect(await settled(client)).toHaveLength(1);
    expect(own.server.leaveRoom("thing:a", id)).toBe(true);
    expect(own.server.leaveRoom("thing:a", id)).toBe(false);
    expect(own.server.rooms.size).toBe(0);
    own.server.broadcastThingMade({ thing_id: "a" });
    expect(await settled(client)).toHaveLength(1);
    expect(own.server.joinRoom("thing:a", "nobody")).toBe(false);
    expect(own.server.joinRoom("nonsense:a", id)).toBe(false);
    expect(own.server.leaveRoom("thing:a", "nobody")).toBe(false);
    await client.close();
    await own.server.stop();
  });

  it("tells the manager of a client after it is in connections, and of its end after it has left all rooms", async () => {
    const own = await startOwn();
    const { manager } = own.server;
    manager.look = (id) =>
      `connections=${own.server.connections.has(id)} rooms=${
        [...own.server.rooms].filter(([, members]) => members.has(id)).map(([room]) => room)
      }`;
    const client = await subscribed(own, "thing:a");
    await client.close();
    await vi.waitFor(() => expect(manager.heard.join()).toContain("disconnect"));
    expect(manager.heard).toEqual([
      "connect connections=true rooms=",
      "message request subscribe",
      "disconnect connections=false rooms=",
    ]);
    await own.server.stop();
    expect(manager.heard.at(-1)).toBe("stop");
  });

  it("lives on with a manager whose hooks throw, now and later", async () => {
    const own = await startOwn({}, { failingHooks: true });
    const client = await FrameClient.open(own.url);
    expect(await client.request("look")).toMatchObject({ type: "response" });
    await client.close();
    await vi.waitFor(() => {
      expect(own.log.filter((line) => line.includes("A hook of the manager failed"))).toHaveLength(2);
    });
    expect((await get(`${own.http}/health`)).status).toBe(200);
    await own.server.stop();
  });

  it("logs one line when a client comes and one when it goes, with the connection's id", async () => {
    const own = await startOwn();
    const client = await subscribed(own, "thing:a");
    const [id = ""] = own.server.connections.keys();
    await client.close();
    await vi.waitFor(() => expect(own.server.connections.size).toBe(0));
    const lines = own.log.filter((line) => line.includes(id));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain("Client connected");
    expect(lines[1]).toContain("Client disconnected");
    await own.server.stop();
  });

  it("starts again after a stop, on the same ports, and starting or stopping twice does no harm", async () => {
    const [port, httpPort] = [await freePort(), await freePort()];
    const own = await startOwn({ websocket: { port }, http: { port: httpPort } });
    for (let round = 0; round < 3; round++) {
      await own.server.start();
      expect(own.server).toMatchObject({ isRunning: true, port, httpPort });
      const client = await subscribed(own, "thing:a");
      expect((await post(`${own.http}/api/requests/make`, { thing_id: "a" })).status).toBe(200);
      await client.event("thing.made", "thing:a");
      expect((await post(`${own.http}/mcp`, CALL)).body).toMatchObject({
        result: { structuredContent: { running: true, connections: 1 } },
      });
      await own.server.stop();
      expect(await client.closed).toEqual({ code: 1001, reason: "Server is going away" });
      expect(own.server.isRunning).toBe(false);
      expect(own.server.connections.size).toBe(0);
      expect(own.server.rooms.size).toBe(0);
      await bind(port);
      await bind(httpPort);
      await own.server.stop();
      await own.server.start();
    }
    await own.server.stop();
  });

  it("start and stop wait for one another, whoever asks", async () => {
    const [port, httpPort] = [await freePort(), await freePort()];
    const own = await startOwn({ websocket: { port }, http: { port: httpPort } });
    await Promise.all([own.server.stop(), own.server.stop()]);
    await Promise.all([own.server.start(), own.server.start()]);
    expect(own.server.isRunning).toBe(true);
    expect(await get(`${own.http}/health`)).toMatchObject({ status: 200 });
    const stopped = own.server.stop();
    await Promise.all([stopped, own.server.start(), own.server.stop()]);
    expect(own.server.isRunning).toBe(false);
    for (const free of [port, httpPort]) await bind(free);
  });

  it("stops although a client has stopped reading", async () => {
    const own = await startOwn({ limits: { outbound_queue_bytes: 0 } });
    const stalled = await subscribed(own, "thing:a");
    const { port, httpPort } = own.server;
    stalled.ws.pause();
    for (let n = 0; n < 100; n++) {
      own.server.publish("thing.noted", { thing_id: "a", note: "x".repeat(100_000) });
    }
    const started = performance.now();
    await own.server.stop();
    expect(performance.now() - started).toBeLessThan(8_000);
    expect(own.server.connections.size).toBe(0);
    for (const free of [port, httpPort]) await bind(free);
    stalled.ws.terminate();
  }, 20_000);

  it("a start that fails at the HTTP port closes the WebSocket port and the database again", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => taken.once("listening", resolve));
    const { port: httpPort } = taken.address() as { port: number };
    const port = await freePort();
    const server = new (serverOf(makeOwnService()))({
      runtime: await detectRuntime(),
      log: silentLog,
      settings: { websocket: { port }, http: { port: httpPort }, storage: { path: ":memory:" } },
    });
    await expect(server.start()).rejects.toThrow(ListenError);
    await expect(server.start()).rejects.toThrow(String(httpPort));
    expect(server.isRunning).toBe(false);
    await bind(port);
    await new Promise((resolve) => taken.close(resolve));
    await server.start();
    expect(server.httpPort).toBe(httpPort);
    await server.stop();
  });

  it("a start in which the manager fails rejects with its error and opens no port", async () => {
    const port = await freePort();
    await expect(startOwn({ websocket: { port } }, { failingStart: "no tools here" })).rejects.toThrow(
      "no tools here",
    );
    await bind(port);
  });

  it("cannot publish before it is open, and says so", () => {
    const server = new (serverOf(makeOwnService()))();
    expect(() => server.publish("thing.made", { thing_id: "a" })).toThrow("Cannot use own before it is open");
  });
});

describe("stop", () => {
  it("is announced on global before clients are told to go", async () => {
    const own = await startOwn();
    const client = await subscribed(own, "global");
    await own.server.stop();
    expect((await client.closed).code).toBe(1001);
    expect(client.events("global").map(({ event, data }) => [event, data.message, data.source])).toEqual([
      ["system.announcement", "own stops", "own"],
    ]);
  });
});

describe("a service whose handlers do not fit its contract", () => {
  const contract = defineContract({
    name: "misfit",
    ports: { http: 18_700, websocket: 18_710 },
    channels: {},
    events: {},
    requests: { look: { description: "Look", access: "read", input: v.object({}), output: v.object({}) } },
  });
  const opened = async (handlers: unknown) => {
    const service = defineService({
      contract,
      createManager: () => ({}),
      createHandlers: () => handlers as never,
    });
    const server = new RealtimeServer(service, {
      log: silentLog,
      runtime: await detectRuntime(),
      settings: { storage: { path: "none" } },
    });
    return await server.open().then(() => server.stop(), (error) => String(error.message));
  };

  it("is not opened, and says which", async () => {
    expect(await opened({})).toBe(
      "Handlers of misfit: expected a function for request 'look', got undefined",
    );
    expect(await opened({ look: () => ({}), loook: () => ({}) })).toBe(
      "Handlers of misfit: expected those of its contract's requests, got 'loook'",
    );
    expect(await opened({ look: () => ({}) })).toBeUndefined();
  });
});
