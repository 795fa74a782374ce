/**
 * A client with a good token that goes about its business while a service is attacked, in a process of its own, so that
 * nothing that the attackers are busy with counts as the service's slowness. It changes a session, hears of it, reads
 * it over HTTP and by an MCP session, and every now and then comes anew. At SIGTERM it reports how that went.
 *
 * Arguments: the addresses of session-buddy's ports, and a token.
 */
import { Agent, request } from "node:http";
import { FrameClient } from "../support/frame-client.ts";

/** Between rounds: an ordinary client, which stays below every rate. */
const PAUSE_MS = 20;
const SLOWEST_MS = 20_000;

const [, , http = "", websocket = "", token = ""] = process.argv;
const localAddress = "127.0.0.9";
const headers = { authorization: `Bearer ${token}` };
const agent = new Agent({ keepAlive: true });

const durations: number[] = [];
const faults: string[] = [];
let stopping = false;
process.on("SIGTERM", () => stopping = true);

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await work();
  } catch (error) {
    faults.push(`${what} after ${Math.round(performance.now() - start)} ms: ${String(error).slice(0, 300)}`);
    throw error;
  } finally {
    durations.push(performance.now() - start);
  }
}

interface Answer {
  readonly status: number;
  readonly session: string | undefined;
  // deno-lint-ignore no-explicit-any
  readonly body: any;
}

function post(path: string, body: object, more: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${http}${path}`, {
      method: "POST",
      agent,
      localAddress,
      headers: {
        ...headers,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...more,
      },
      signal: AbortSignal.timeout(SLOWEST_MS),
    }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => void (text += part));
      response.on("error", reject);
      response.on("end", () => {
        const isStream = response.headers["content-type"]?.startsWith("text/event-stream") === true;
        const json = isStream ? /^data: (.+)$/m.exec(text)?.[1] ?? "null" : text;
        const session = response.headers["mcp-session-id"];
        resolve({
          status: response.statusCode ?? 0,
          session: typeof session === "string" ? session : undefined,
          body: JSON.parse(json),
        });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(JSON.stringify(body));
  });
}

function expectThat(holds: boolean, what: unknown): void {
  if (!holds) throw new Error(`got ${JSON.stringify(what)}`);
}

async function rpc(method: string, params: object, more: Record<string, string> = {}): Promise<Answer> {
  const answer = await post("/mcp", { jsonrpc: "2.0", id: 1, method, params }, more);
  expectThat(answer.status === 200 && answer.body?.error === undefined, answer);
  return answer;
}

const initialize = {
  protocolVersion: "2025-06-18",
  capabilities: {},
  clientInfo: { name: "bystander", version: "0" },
};
const { session: mcpSession = "" } = await rpc("initialize", initialize);

const client = await FrameClient.open(websocket, { headers, localAddress });
let over = false;
void client.closed.then(({ code, reason }) => {
  over = true;
  if (!stopping) faults.push(`the connection was closed with ${code} ${reason}`);
});
const session_id = `bystander-${process.pid}`;
const started = await client.request("start_session", { session_id, project: "bystander" });
expectThat(started.type === "response", started);
const subscribed = await client.request("subscribe", { channel: `session:${session_id}` });
expectThat(subscribed.type === "response", subscribed);
console.log(JSON.stringify({ session_id }));

for (let round = 1; !stopping && !over && faults.length < 20; round++) {
  try {
    await timed("a change", async () => {
      const asked = client.request("update_session", { session_id, context: { round } });
      const [answer] = await Promise.all([
        asked,
        client.frame(({ event, data }) => event === "session.updated" && data.changes?.round === round),
      ]);
      expectThat(answer.data.context?.round === round, answer);
    });
    await timed("a read by HTTP", async () => {
      const { status, body } = await post("/api/requests/get_session", { session_id });
      expectThat(status === 200 && body.context.round === round, { status, body });
    });
    await timed("a read by MCP", async () => {
      const params = { name: "get_session", arguments: { session_id } };
      const { body } = await rpc("tools/call", params, { "mcp-session-id": mcpSession });
      expectThat(body.result.structuredContent.context.round === round, body);
    });
    if (round % 10 === 0) {
      await timed("a new connection", async () => {
        const other = await FrameClient.open(websocket, { headers, localAddress });
        const answer = await other.request("get_session", { session_id });
        expectThat(answer.type === "response", answer);
        await other.close();
      });
    }
  } catch {
    // Noted by `timed`.
  }
  client.frames.splice(0, client.frames.length - 10);
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}

stopping = true;
if (!over) await client.close();
agent.destroy();
durations.sort((a, b) => a - b);
const at = (share: number) => Math.round(durations[Math.floor((durations.length - 1) * share)] ?? 0);
console.log(
  JSON.stringify({ report: true, count: durations.length, faults, p50: at(0.5), p99: at(0.99), max: at(1) }),
);
