/**
 * What the endpoint keeps, and for how long: in process, with a clock that stands still.
 */
import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import {
  createMcpEndpoint,
  type McpBounds,
  type McpEndpoint,
  type RequestFacts,
} from "../../src/mcp/transport.ts";
import { ANONYMOUS } from "../../src/ports/call.ts";
import { defineContract } from "../../src/protocol/contract.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { notes, notesHost } from "./notes-service.ts";

const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "0" } },
};
const PING = { jsonrpc: "2.0", id: 2, method: "ping" };

function setUp(bounds: Partial<McpBounds> = {}, countFurther?: RequestFacts["countFurther"]) {
  const clock = new FakeClock();
  const endpoint = createMcpEndpoint(notesHost({ clock }), bounds);
  const app = new Hono();
  const token = { expiresAt: null as number | null };
  const caller = { identity: ANONYMOUS };
  const facts = countFurther ? { countFurther } : {};
  app.all("/mcp", (context) => endpoint.handle(context, caller.identity, { ...token, ...facts }));
  /** What follows is asked by this user. */
  const as = (userId: string) => {
    caller.identity = { authenticated: true, userId, permissions: [] };
  };
  const send = async (method: string, session: string | null, body?: unknown) => {
    const headers = new Headers({
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    });
    if (session !== null) headers.set("mcp-session-id", session);
    return await app.request("/mcp", {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  };
  const open = async () => {
    const response = await send("POST", null, INITIALIZE);
    await response.text();
    return { status: response.status, id: response.headers.get("mcp-session-id") ?? "" };
  };
  const ping = async (session: string) => {
    const response = await send("POST", session, PING);
    await response.text();
    return response.status;
  };
  return { app, as, clock, endpoint, send, open, ping, token };
}

describe("createMcpEndpoint()", () => {
  test("ends a session that nobody has used for its time, and not one that somebody has", async () => {
    const { clock, open, ping } = setUp({ sessionIdleMs: 1_000 });
    const { id } = await open();
    clock.advance(999);
    expect(await ping(id)).toBe(200);
    clock.advance(999);
    expect(await ping(id)).toBe(200);
    clock.advance(1_000);
    expect(await ping(id)).toBe(404);
  });

  test("keeps a session with an open stream however quiet it is, and counts its time from the stream's end", async () => {
    const { clock, open, ping, send } = setUp({ sessionIdleMs: 1_000 });
    const { id } = await open();
    const stream = await send("GET", id);
    clock.advance(5_000);
    await stream.body!.cancel();
    clock.advance(999);
    expect(await ping(id)).toBe(200);
  });

  test("ends a stream when the token that has opened it expires, and keeps the session and its other streams", async () => {
    const { clock, open, ping, send, token } = setUp({ sessionIdleMs: 10_000_000 });
    const { id } = await open();
    token.expiresAt = clock.now() + 3_600_000;
    const stream = await send("GET", id);
    let over = false;
    const read = stream.text().finally(() => over = true);
    token.expiresAt = null;
    clock.advance(3_599_999);
    expect(await ping(id)).toBe(200);
    expect(over).toBe(false);
    clock.advance(1);
    expect(await read).toBe(": ok\n\n");
    expect(await ping(id)).toBe(200);
    const lasting = await send("GET", id);
    clock.advance(100_000_000);
    expect(await ping(id)).toBe(200);
    await lasting.body!.cancel();
  });

  test("answers a call without a session no longer than its token lasts, and lets go of it", async () => {
    const { clock, send, token } = setUp();
    const before = clock.pending;
    token.expiresAt = clock.now() + 4_000;
    const wait = { name: "wait_for_event", arguments: { channel: "global", timeout: 12 } };
    const asked = send("POST", null, { jsonrpc: "2.0", id: 1, method: "tools/call", params: wait });
    await expect.poll(() => clock.pending).toBe(before + 2);
    clock.advance(4_000);
    const answer = await asked;
    expect(answer.status).toBe(401);
    expect((await answer.json()).error.message).toBe("The token expired before the answer was there");
    await expect.poll(() => clock.pending).toBe(before);
  });

  test("waits for no token of a stream that has ended, and bears tokens that expire in thousands of years", async () => {
    const { clock, open, send, token } = setUp();
    const { id } = await open();
    const before = clock.pending;
    token.expiresAt = 8.64e15;
    const stream = await send("GET", id);
    expect(clock.pending).toBe(before + 1);
    clock.advance(1_000_000);
    expect(clock.pending).toBe(before + 1);
    await stream.body!.cancel();
    expect(clock.pending).toBe(before);
  });

  test("makes room by ending the session that has been idle longest", async () => {
    const { clock, open, ping } = setUp({ sessions: 2 });
    const first = await open();
    clock.advance(1);
    const second = await open();
    clock.advance(1);
    expect(await ping(first.id)).toBe(200);
    const third = await open();
    expect(third.status).toBe(200);
    expect([await ping(first.id), await ping(second.id), await ping(third.id)]).toEqual([200, 404, 200]);
  });

  test("refuses a session where all are in use, until a stream ends", async () => {
    const { open, send } = setUp({ sessions: 1 });
    const stream = await send("GET", (await open()).id);
    const refusal = await send("POST", null, INITIALIZE);
    expect([refusal.status, refusal.headers.get("retry-after")]).toEqual([503, "10"]);
    expect((await refusal.json()).error.message).toBe("All 1 sessions are in use: try again later");
    await stream.body!.cancel();
    expect((await open()).status).toBe(200);
  });

  test("makes room for a user at the cost of the one who has most sessions, streams under way included", async () => {
    const { as, clock, open, ping, send } = setUp({ sessions: 4 });
    as("agent");
    const kept = await open();
    as("hoarder");
    const streams: Response[] = [];
    for (let n = 0; n < 3; n++) {
      clock.advance(1);
      streams.push(await send("GET", (await open()).id));
    }
    clock.advance(1);
    expect((await open()).status).toBe(503);
    as("newcomer");
    const { status, id } = await open();
    expect(status).toBe(200);
    // The hoarder's first stream was ended for it.
    expect(await streams[0]!.text()).toBe(": ok\n\n");
    expect(await ping(id)).toBe(200);
    as("agent");
    expect(await ping(kept.id)).toBe(200);
    for (const stream of streams.slice(1)) await stream.body!.cancel();
  });

  test("ends no stream of a user who has no more sessions than others", async () => {
    const { as, open, send } = setUp({ sessions: 2 });
    const streams: Response[] = [];
    for (const user of ["ada", "eva"]) {
      as(user);
      streams.push(await send("GET", (await open()).id));
    }
    as("newcomer");
    expect((await open()).status).toBe(503);
    for (const stream of streams) await stream.body!.cancel();
    expect((await open()).status).toBe(200);
  });

  test("ends the stream of a request that is aborted before anybody has read of its answer", async () => {
    const { app, open } = setUp({ sessions: 1 });
    for (const when of ["before", "after"]) {
      const gone = new AbortController();
      const headers = { accept: "text/event-stream", "mcp-session-id": (await open()).id };
      if (when === "before") gone.abort();
      const stream = await app.request("/mcp", { headers, signal: gone.signal });
      expect(stream.status).toBe(200);
      gone.abort();
      expect(await stream.text()).toBe(": ok\n\n");
      expect((await open()).status).toBe(200);
    }
  });

  test("keeps no session that was not opened", async () => {
    const { open, ping, send } = setUp({ sessions: 1 });
    const { id } = await open();
    const batch = await send("POST", null, [INITIALIZE, PING]);
    expect([batch.status, (await batch.json()).error.code]).toEqual([400, -32600]);
    expect(await ping(id)).toBe(404);
    expect((await open()).status).toBe(200);
  });

  test("takes a batch of as many messages as there may be, and refuses one more whole", async () => {
    const asked: string[] = [];
    const { open, send } = setUp({ batchMessages: 3 }, (further) => {
      asked.push(String(further));
      return true;
    });
    const pings = (length: number) => Array.from({ length }, (_, id) => ({ ...PING, id }));
    for (const session of [null, (await open()).id]) {
      const taken = await send("POST", session, pings(3));
      expect(taken.status).toBe(200);
      for (const { id } of pings(3)) expect(await taken.clone().text()).toContain(`"id":${id}`);
      const refused = await send("POST", session, pings(4));
      expect([refused.status, (await refused.json()).error]).toEqual([400, {
        code: -32600,
        message: "Expected at most 3 messages in a batch, got 4: send fewer at once",
      }]);
    }
    expect(asked).toEqual(["2", "2"]);
  });

  test("refuses a batch that is above the rate as it stands, and keeps the session", async () => {
    const { open, ping, send } = setUp({}, () => 2.25);
    const { id } = await open();
    const refused = await send("POST", id, [PING, { jsonrpc: "2.0", id: 3, method: "tools/list" }]);
    expect([refused.status, refused.headers.get("retry-after"), await refused.json()]).toEqual([429, "3", {
      jsonrpc: "2.0",
      id: null,
      error: { code: -32000, message: "Request rate limit exceeded. Retry after 2.250 seconds." },
    }]);
    expect(await ping(id)).toBe(200);
  });

  test("ends streams and refuses all that comes when it is closed", async () => {
    const { endpoint, open, ping, send } = setUp();
    const { id } = await open();
    const stream = await send("GET", id);
    await endpoint.close();
    expect(await stream.text()).toBe(": ok\n\n");
    expect(await ping(id)).toBe(503);
    expect((await open()).status).toBe(503);
  });

  test("answers a fault of its own with an id and nothing else", async () => {
    const host = notesHost();
    const endpoint: McpEndpoint = createMcpEndpoint({
      ...host,
      get version(): string {
        throw new Error("the secret of the house");
      },
    });
    const app = new Hono().all("/mcp", (context) => endpoint.handle(context, ANONYMOUS));
    const response = await app.request("/mcp", { method: "POST", body: JSON.stringify(PING) });
    expect([response.status, (await response.json()).error.message]).toEqual([
      500,
      expect.stringMatching(/^Internal error: the log explains it under [0-9a-f-]{36}$/),
    ]);
    expect(host.logged.join()).toContain("the secret of the house");
  });

  test("takes no contract with a request of a tool's name", () => {
    const contract = defineContract({
      ...notes,
      requests: { websocket_status: notes.requests.get_note },
    });
    expect(() => createMcpEndpoint({ ...notesHost(), contract })).toThrow(
      "Cannot offer request 'websocket_status' of 'notes' as a tool: every service has a tool of this name",
    );
  });
});
