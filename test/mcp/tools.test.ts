import { describe, expect, test } from "vitest";
import { sessionBuddy } from "../../services/session-buddy/contract.ts";
import type { ServerStatus } from "../../src/mcp/host.ts";
import { SERVER_TOOL_NAMES } from "../../src/mcp/tool-names.ts";
import { answered, refused } from "../../src/mcp/tool-result.ts";
import { argumentsSchema } from "../../src/mcp/tool-schema.ts";
import type { ToolContext } from "../../src/mcp/tool.ts";
import { toolsOf } from "../../src/mcp/tools.ts";
import { ANONYMOUS } from "../../src/ports/call.ts";
import { COMMON_REQUEST_NAMES } from "../../src/protocol/common-requests.ts";
import { commonRoutes } from "../../src/service/common-handlers.ts";
import { type NotesHost, notesHost, type NotesOptions, roomsOf, RUNNING } from "./notes-service.ts";

const CONTEXT: ToolContext = { signal: new AbortController().signal, progress: null, extra: null };

function setUp(options: NotesOptions = {}) {
  const host: NotesHost = notesHost(options);
  const tools = toolsOf(host);
  const call = async (name: string, data = {}, identity = ANONYMOUS) =>
    await tools.get(name)!.call(data, { identity, origin: null }, CONTEXT);
  const answer = async (name: string, data = {}) => (await call(name, data)).structuredContent;
  return { host, tools, call, answer, listing: (name: string) => tools.get(name)!.listing };
}

describe("toolsOf()", () => {
  test("has the names that are kept free for it besides those of requests", () => {
    const host = notesHost({ development: true });
    const requests = new Set([...Object.keys(host.contract.requests), ...COMMON_REQUEST_NAMES]);
    const others = [...toolsOf(host).keys()].filter((name) => !requests.has(name));
    expect(new Set(others)).toEqual(SERVER_TOOL_NAMES);
  });

  test("lists what a caller sends: defaults may be left out, and the type before a transformation counts", () => {
    const { listing } = setUp();
    expect(listing("add_note").inputSchema).toMatchObject({
      type: "object",
      required: ["text"],
      properties: {
        text: { type: "string", maxLength: 20 },
        idempotency_key: { type: "string", maxLength: 255 },
      },
    });
    expect(listing("list_notes").inputSchema).toMatchObject({ properties: { limit: { type: "string" } } });
    expect(listing("add_note").outputSchema).toMatchObject({
      type: "object",
      required: ["note_id", "text", "by"],
    });
  });

  test("offers an idempotency key for requests that change state only", () => {
    const { tools } = setUp();
    const withKey = [...tools.values()]
      .filter(({ listing }) => Object.hasOwn(listing.inputSchema.properties ?? {}, "idempotency_key"))
      .map(({ listing }) => listing.name);
    expect(withKey).toEqual(["add_note", "break_note", "publish"]);
  });

  test("says of each tool what is true of it", () => {
    const { listing } = setUp({ development: true });
    const within = { openWorldHint: false };
    const reads = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, ...within };
    const changes = { readOnlyHint: false, destructiveHint: true, idempotentHint: false };
    const adds = { ...changes, destructiveHint: false, ...within };
    for (const name of ["list_notes", "get_status", "get_history", "websocket_status"]) {
      expect(listing(name).annotations, name).toEqual(reads);
    }
    expect(listing("add_note").annotations).toEqual(changes);
    for (const name of ["publish", "broadcast_test_event"]) {
      expect(listing(name).annotations, name).toEqual(adds);
    }
    expect(listing("add_note").description).toBe("Keep a note (needs notes:write)");
    expect(listing("publish").description).toContain("note.waved (needs notes:write)");
  });

  test("lists the requests of every service with the schemas that the dispatch checks", () => {
    const { tools } = setUp();
    for (const [name, { input, changesState }] of commonRoutes({} as Parameters<typeof commonRoutes>[0])) {
      const { inputSchema } = tools.get(name)!.listing;
      const properties = { ...inputSchema.properties as Record<string, unknown> };
      expect(Object.hasOwn(properties, "idempotency_key"), name).toBe(changesState);
      delete properties.idempotency_key;
      // `get_status` takes any object; what is listed are the ids that it makes something of.
      if (name === "get_status") expect(Object.keys(properties)).toEqual(["note_id"]);
      else expect({ ...inputSchema, properties }, name).toEqual(argumentsSchema(input));
    }
  });

  test("lists the contract of a whole service", () => {
    const tools = toolsOf({ ...notesHost(), contract: sessionBuddy });
    for (const name of Object.keys(sessionBuddy.requests)) {
      const { inputSchema, outputSchema, description } = tools.get(name)!.listing;
      expect([inputSchema.type, outputSchema.type], name).toEqual(["object", "object"]);
      expect(description.length, name).toBeGreaterThan(5);
    }
  });

  test("hands who calls and where from on to the dispatch", async () => {
    const { host, tools } = setUp();
    const identity = { userId: "ada", permissions: ["read"], authenticated: true };
    await tools.get("list_notes")!.call({}, { identity, origin: "session 1" }, CONTEXT);
    expect(host.calls).toMatchObject([{ identity, door: "mcp", connectionId: null }]);
  });
});

describe("websocketTools()", () => {
  test("answers with the figures of a running server", async () => {
    const { answer } = setUp();
    expect(await answer("websocket_status")).toEqual({
      ...{ running: true, connections: 2, port: 11, enabled: true, status: "running", server: "notes" },
      ...{ host: "127.0.0.1", uri: "ws://127.0.0.1:11", secure: false, rooms: 2 },
    });
    expect(await answer("websocket_health_check")).toEqual({
      ...{
        status: "healthy",
        connections: 2,
        rooms: 2,
        uptime: 4,
        server: "notes",
        host: "127.0.0.1",
        port: 11,
      },
      ...{ max_connections: 1000, message_rate_limit: 100 },
    });
    expect(await answer("websocket_list_rooms")).toEqual({
      rooms: { global: { subscribers: 2 }, "note:1": { subscribers: 1 } },
      total_rooms: 2,
    });
    const metrics = await answer("websocket_get_metrics");
    expect(metrics).toMatchObject({
      server: { status: "running", host: "127.0.0.1", port: 11 },
      connections: ["a", "b"],
      rooms: { "note:1": { subscribers: 1, connection_ids: ["a"] } },
      ...{ total_connections: 2, peak_connections: 3, accepted_connections: 5, total_broadcasts: 7 },
      ...{ uptime_seconds: 4, average_message_rate: 2.5 },
    });
    expect(await answer("websocket_get_status")).toEqual(metrics);
  });

  test("tells a server that is switched off, one that has not begun and one that is stopped apart", async () => {
    const none = { ...RUNNING, running: false, connectionIds: [], ...roomsOf({}) };
    const healthOf = async (status: ServerStatus) =>
      await setUp({ status: () => status }).answer("websocket_health_check");
    expect(await healthOf({ ...none, enabled: false, initialized: false })).toMatchObject({
      status: "not_initialized",
      message: "The WebSocket server is switched off by setting websocket.enabled",
    });
    expect(await healthOf({ ...none, initialized: false })).toMatchObject({ status: "not_initialized" });
    expect(await healthOf(none)).toMatchObject({ status: "stopped", connections: 0, rooms: 0 });
    const { answer } = setUp({ status: () => none });
    expect(await answer("websocket_status")).toMatchObject({ running: false, status: "not_running" });
  });

  test("lists at most a hundred channels and connections, the fullest channels first, and says how many there are", async () => {
    const connectionIds = Array.from({ length: 150 }, (_, i) => `c${i}`);
    const rooms = connectionIds.map((_, i) => [`note:${i}`, connectionIds.slice(0, i)] as const).reverse();
    const status = { ...RUNNING, connectionIds, ...roomsOf(Object.fromEntries(rooms)) };
    const { answer } = setUp({ status: () => status });
    const listed = await answer("websocket_get_metrics") as {
      connections: string[];
      rooms: Record<string, { subscribers: number; connection_ids: string[] }>;
    };
    expect([listed.connections.length, Object.keys(listed.rooms).length]).toEqual([100, 100]);
    expect(listed).toMatchObject({ total_connections: 150, total_rooms: 150 });
    expect(listed.rooms["note:149"]).toMatchObject({ subscribers: 149, connection_ids: { length: 100 } });
    expect(listed.rooms["note:49"]).toBeUndefined();
  });

  test("asks for permission to read where authentication is on", async () => {
    const { call } = setUp({ authRequired: true });
    const reader = { userId: "ada", permissions: ["notes:read"], authenticated: true };
    expect((await call("websocket_status")).content[0]!.text).toBe(
      "FORBIDDEN: Not authorized to websocket_status: needs notes:read\n" +
        "Not retryable as it is: use a token that holds the permission",
    );
    expect((await call("websocket_status", {}, reader)).isError).toBeUndefined();
  });
});

describe("broadcastTools()", () => {
  test("are there in development mode only", () => {
    expect(setUp().tools.has("broadcast_test_event")).toBe(false);
    expect(setUp({ development: true }).tools.has("websocket_broadcast_test_event")).toBe(true);
  });

  test("send to global unless told, marked as a test, and say how many heard it", async () => {
    const { host, answer } = setUp({ development: true });
    expect(await answer("broadcast_test_event", { event_type: "x.y", data: { n: 1, test: false } })).toEqual({
      ...{ status: "broadcasted", event_type: "x.y", room: "global", subscribers: 2 },
      message: "Sent x.y to global: 2 connections",
    });
    await answer("websocket_broadcast_test_event", { event_type: "x", room: "note:1" });
    expect(host.broadcasts).toEqual([
      { eventType: "x.y", data: { n: 1, test: true }, room: "global" },
      { eventType: "x", data: { test: true }, room: "note:1" },
    ]);
  });

  test("refuse channels that cannot be, arguments that are not theirs, and callers who are not admin", async () => {
    const { host, call } = setUp({ development: true });
    const code = async (data: object) => (await call("broadcast_test_event", data))._meta?.error_code;
    expect(await code({ event_type: "x", room: "nowhere" })).toBe("INVALID_CHANNEL");
    expect(await code({ event_type: "x", room: "note:*" })).toBe("INVALID_CHANNEL");
    expect(await code({ event_type: "x", room: "note:closed" })).toBe("NOT_AVAILABLE");
    expect(await code({ event_type: "x", channel: "global" })).toBe("INVALID_DATA");
    expect(await code({})).toBe("INVALID_DATA");
    const guarded = setUp({ development: true, authRequired: true });
    const writer = { userId: "ada", permissions: ["notes:write", "notes:read"], authenticated: true };
    expect((await guarded.call("broadcast_test_event", { event_type: "x" }, writer))._meta).toEqual({
      error_code: "FORBIDDEN",
      retryable: false,
    });
    expect(host.broadcasts).toEqual([]);
  });
});

describe("answered() and refused()", () => {
  test("answered() gives structured content that JSON.stringify can write", () => {
    const { content, structuredContent } = answered({ n: 9007199254740993n, list: [1n, null, { a: "b" }] });
    expect(content[0]!.text).toBe('{"n":9007199254740993,"list":[1,null,{"a":"b"}]}');
    expect(structuredContent).toEqual({ n: 9007199254740992, list: [1, null, { a: "b" }] });
  });

  test("refused() says that a retry can help, and how it stays safe", () => {
    expect(refused("NOT_AVAILABLE", "Not up").content[0]!.text).toBe(
      "NOT_AVAILABLE: Not up\nRetryable: the same call can succeed later",
    );
    expect(refused("SERVER_ERROR", "Oh", true).content[0]!.text).toMatch(
      /later; repeat it with the same idempotency_key$/,
    );
  });
});
