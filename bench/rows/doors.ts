/**
 * Publishing over HTTP and over MCP, to nobody: what the doors themselves cost.
 *
 * @module
 */
import type { Fielded } from "../fielded.ts";
import { type Figures, figuresOf, type Told } from "../results.ts";
import { fieldSuite } from "../suite.ts";

const MEASURED_MS = 1_500;
const AT_ONCE = 16;

const DATA = { event: "feed.sent", data: { at: 1, pad: "x".repeat(80) } };
const VERSION = "2025-06-18";
const MCP_HEADERS = { accept: "application/json, text/event-stream", "mcp-protocol-version": VERSION };

export const HTTP_ROW = "publish over HTTP, 16 under way";
export const MCP_ROW = "publish over MCP, 16 under way";

/** Each server's MCP session, opened once. */
const sessions = new Map<Fielded, string>();

export const doors = fieldSuite({
  name: "doors",
  subjects: ["node", "bun", "deno"],
  field: { subscribers: 0, publishers: 0 },
  cases: [
    {
      row: HTTP_ROW,
      measure: (fielded) =>
        measure(fielded, { path: "/api/requests/publish", headers: {}, body: JSON.stringify(DATA) }),
    },
    {
      row: MCP_ROW,
      async measure(fielded) {
        const session = sessions.get(fielded) ?? await openSession(fielded);
        sessions.set(fielded, session);
        const params = { name: "publish", arguments: DATA };
        return await measure(fielded, {
          path: "/mcp",
          headers: { ...MCP_HEADERS, "mcp-session-id": session },
          body: JSON.stringify({ jsonrpc: "2.0", id: "#", method: "tools/call", params }),
        });
      },
    },
  ],
});

async function measure(fielded: Fielded, call: object): Promise<Figures> {
  const options = { ...call, port: fielded.subject.ports.http, atOnce: AT_ONCE, ms: MEASURED_MS };
  const told = await fielded.order<Told & { answers: number }>("call", options);
  return figuresOf(told.answers, told);
}

async function openSession(fielded: Fielded): Promise<string> {
  const params = { protocolVersion: VERSION, capabilities: {}, clientInfo: { name: "bench", version: "1" } };
  const response = await fetch(`http://127.0.0.1:${fielded.subject.ports.http}/mcp`, {
    method: "POST",
    headers: { ...MCP_HEADERS, "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params }),
  });
  await response.body?.cancel();
  const session = response.headers.get("mcp-session-id");
  if (session === null) throw new Error(`Expected an MCP session, got status ${response.status}`);
  return session;
}
