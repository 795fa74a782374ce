/**
 * The moment of a start: what is loaded late must not be missed by whoever comes first.
 */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { buildOnce } from "../support/build-once.ts";
import { get, type HttpAnswer, post } from "../support/http-client.ts";
import { freePort, start } from "../support/serve-process.ts";
import { hasRuntime } from "../support/start-program.ts";

const PATIENCE_MS = 60_000;
const SECRET = "a secret that only this file knows";
const MCP_HEADERS = { accept: "application/json, text/event-stream" };

beforeAll(buildOnce, 120_000);

/** Ask again and again until the port is open. */
function firstAnswer(ask: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
  return vi.waitFor(ask, { timeout: PATIENCE_MS, interval: 2 });
}

const call = (id: number, method: string, params = {}) => ({ jsonrpc: "2.0", id, method, params });
const INITIALIZE = call(1, "initialize", {
  protocolVersion: "2025-06-18",
  capabilities: {},
  clientInfo: { name: "first", version: "1" },
});

describe.each(["node", "deno", "bun"] as const)("a service that starts on %s", (runtime) => {
  it.runIf(hasRuntime(runtime))("answers all who come at the moment when its port opens", async () => {
    const httpPort = await freePort();
    const http = `http://127.0.0.1:${httpPort}`;
    const program = start(runtime, {
      args: [
        "session-buddy",
        ...["--port", "0", "--http-port", `${httpPort}`, "--storage", ":memory:"],
      ],
      environment: { SESSION_BUDDY_JWT_SECRET: SECRET },
    });
    // One in each way that loads something, and two who want the same at once.
    const [session, tools, again, metrics, forged] = await Promise.all([
      firstAnswer(() => post(`${http}/mcp`, INITIALIZE, MCP_HEADERS)),
      firstAnswer(() => post(`${http}/mcp`, call(2, "tools/list"), MCP_HEADERS)),
      firstAnswer(() => post(`${http}/mcp`, call(3, "tools/list"), MCP_HEADERS)),
      firstAnswer(() => get(`${http}/metrics`)),
      firstAnswer(() => get(`${http}/api/status`, { authorization: "Bearer a.b.c" })),
    ]);
    expect(session).toMatchObject({ status: 200, body: expect.stringContaining("session-buddy") });
    expect(tools).toMatchObject({ status: 200, body: { id: 2, result: { tools: expect.any(Array) } } });
    expect(again).toMatchObject({ status: 200, body: { id: 3, result: { tools: expect.any(Array) } } });
    expect(metrics).toMatchObject({ status: 200, body: expect.stringContaining("websocket_rooms") });
    expect(forged.status).toBe(401);
    program.kill("SIGTERM");
    expect(await program.ended).toMatchObject({ code: 0, complaints: [] });
  }, 2 * PATIENCE_MS);
});
