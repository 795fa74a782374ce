/**
 * Agents: MCP sessions that come, work, wait for what happens, and go in one way or another.
 *
 * @module
 */
import { connectClient, type ConnectedClient } from "../mcp/mcp-client.ts";
import { send } from "../support/http-client.ts";

/** A request that reads, and a channel, of each service. */
const READS: Readonly<Record<string, string>> = {
  "session-buddy": "list_sessions",
  mahavishnu: "list_pools",
  akosha: "list_metrics",
  crackerjack: "list_runs",
  dhruva: "list_adapters",
  excalidraw: "list_diagrams",
};

/** Sessions whose clients have vanished, by the address that ends them. */
export class Abandoned {
  readonly #ids: [mcp: string, id: string][] = [];

  add(mcp: string, { transport }: ConnectedClient): void {
    if (transport.sessionId !== undefined) this.#ids.push([mcp, transport.sessionId]);
  }

  /** End them, as a client would that comes back for that. Without this the server keeps each for half an hour. */
  async end(): Promise<void> {
    for (const [mcp, id] of this.#ids.splice(0)) {
      const { status } = await send("DELETE", mcp, { "mcp-session-id": id });
      if (status !== 200 && status !== 204) {
        throw new Error(`Expected a session to end, got status ${status}`);
      }
    }
  }
}

/** One agent's visit. */
export async function agentVisit(
  service: string,
  mcp: string,
  turn: number,
  abandoned: Abandoned,
): Promise<void> {
  const agent = await connectClient(mcp);
  const { client, transport } = agent;
  await client.listTools();
  const read = await agent.call(READS[service]!);
  if (read.isError === true) throw new Error(`${READS[service]}: ${read.content[0]?.text}`);
  const uri = `${service}://global`;
  await client.readResource({ uri });
  await client.subscribeResource({ uri });
  await agent.call("read_events", { channel: "global", since: "start" });
  if (turn % 3 === 0) {
    // Goes while it waits, without a word.
    agent.call("wait_for_event", { channel: "global", events: ["system.announcement"], timeout: 45 }).catch(
      () => {},
    );
    await agent.call("websocket_status");
    abandoned.add(mcp, agent);
    await client.close();
    return;
  }
  await agent.call("wait_for_event", { channel: "global", events: ["system.announcement"], timeout: 1 });
  if (turn % 3 === 1) {
    await transport.terminateSession();
    await client.close();
  } else {
    abandoned.add(mcp, agent);
    await client.close();
  }
}
