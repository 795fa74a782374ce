/**
 * `mcp-realtime mcp SERVICE` as MCP clients start it, on each runtime: it serves, or goes to whoever does, and when that
 * one ends another takes over.
 */
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/stdio"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { join } from "node:path";
import { connectClient } from "../mcp/mcp-client.ts";
import { buildOnce } from "../support/build-once.ts";
import { FrameClient } from "../support/frame-client.ts";
import { get, post } from "../support/http-client.ts";
import { type Agent, type AgentOptions, mcpCommand, startAgent } from "../support/mcp-agent.ts";
import { bind, freePort, makeScratch, type Scratch, serve } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const PATIENCE_MS = 120_000;
const POLL = { timeout: 60_000, interval: 50 };

let scratch: Scratch;
beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
}, PATIENCE_MS);
afterAll(() => scratch?.remove());

const agents: Agent[] = [];
afterEach(async () => {
  for (const agent of agents) agent.kill("SIGKILL");
  await Promise.all(agents.splice(0).map(({ ended }) => ended));
});

async function start(runtime: RuntimeName, options: AgentOptions): Promise<Agent> {
  const agent = await startAgent(runtime, options);
  agents.push(agent);
  return agent;
}

/** Flags for a pair of ports and a database of its own. */
async function place(name: string): Promise<string[]> {
  const [port, httpPort] = [await freePort(), await freePort()];
  const database = join(scratch.folder, `${name}.db`);
  return ["session-buddy", "--port", `${port}`, "--http-port", `${httpPort}`, "--storage", database];
}

const projectsOf = async (agent: Agent) => {
  const { structuredContent } = await agent.call("list_sessions");
  return (structuredContent?.sessions as { project: string }[]).map(({ project }) => project).sort();
};

/** All that a client may see on standard output. */
function expectFramesOnly({ lines }: Agent): void {
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ jsonrpc: "2.0" });
}

const runtimes = (["node", "deno", "bun"] as const).filter((name) => hasRuntime(name));

describe.each(runtimes)("mcp on %s", { timeout: PATIENCE_MS }, (runtime: RuntimeName) => {
  it("serves the service where nobody does, on its ports too, until its client closes standard input", async () => {
    const flags = await place(`${runtime}-alone`);
    const { command, args } = mcpCommand(runtime);
    const transport = new StdioClientTransport({ command, args: [...args, ...flags], stderr: "ignore" });
    const client = new Client({ name: "test", version: "0" });
    const faults: Error[] = [];
    client.onerror = (error) => void faults.push(error);
    await client.connect(transport, { timeout: 60_000 });
    expect(client.getServerVersion()).toMatchObject({ name: "session-buddy" });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain("start_session");
    const made = await client.callTool({ name: "start_session", arguments: { project: "alone" } });
    expect(made.structuredContent).toMatchObject({ project: "alone" });

    const [port, httpPort] = [Number(flags[2]), Number(flags[4])];
    const listed = await post(`http://127.0.0.1:${httpPort}/api/requests/list_sessions`, {});
    expect(listed.body.sessions).toMatchObject([{ project: "alone" }]);
    const socket = await FrameClient.open(`ws://127.0.0.1:${port}`);
    expect((await socket.request("list_sessions", {})).data.sessions).toHaveLength(1);
    socket.close();
    await client.close();
    await expect.poll(() => Promise.all([bind(port), bind(httpPort)]).then(() => "free"), POLL).toBe("free");
    expect(faults).toEqual([]);
  });

  it("goes to the service where it runs, and leaves it running", async () => {
    const flags = await place(`${runtime}-running`);
    const server = await serve(runtime, { args: flags, lifetimeMs: PATIENCE_MS });
    const agent = await start(runtime, { args: flags });
    expect(agent.isServing()).toBe(false);
    expect(agent.stderr()).toContain(`session-buddy runs at ${server.mcp}: messages go there`);
    await agent.call("start_session", { project: "bridged" });
    const listed = await post(`${server.http}/api/requests/list_sessions`, {});
    expect(listed.body.sessions).toMatchObject([{ project: "bridged" }]);
    agent.close();
    expect(await agent.ended).toBe(0);
    expectFramesOnly(agent);
    expect((await get(`${server.http}/health`)).body).toMatchObject({ server: "session-buddy" });
    server.kill("SIGTERM");
    expect(await server.ended).toMatchObject({ code: 0, complaints: [] });
  });

  it("takes over when the one that serves ends: its client sees the same state and is told to read again", async () => {
    const flags = await place(`${runtime}-over`);
    const first = await start(runtime, { args: flags });
    const second = await start(runtime, { args: flags });
    expect([first.isServing(), second.isServing()]).toEqual([true, false]);
    await first.call("start_session", { session_id: "kept", project: "kept" });
    const uri = "session-buddy://session/kept";
    await second.client.subscribeResource({ uri });
    first.close();
    expect(await first.ended).toBe(0);

    expect(await projectsOf(second)).toEqual(["kept"]);
    await expect.poll(() => second.isServing(), POLL).toBe(true);
    const isUpdate = ({ method, params }: Agent["told"][number]) =>
      method === "notifications/resources/updated" && params?.uri === uri;
    await expect.poll(() => second.told.some(isUpdate), POLL).toBe(true);
    // The subscription is there as before.
    second.told.splice(0);
    await second.call("update_session", { session_id: "kept", context: { goal: "go on" } });
    await expect.poll(() => second.told.some(isUpdate), POLL).toBe(true);
    const other = await connectClient(`${second.origin()}/mcp`);
    expect((await other.call("list_sessions")).structuredContent?.sessions).toHaveLength(1);
    await other.client.close();
    second.close();
    expect(await second.ended).toBe(0);
    for (const agent of [first, second]) expectFramesOnly(agent);
  });

  it("goes on after kill -9 of the one that serves, waiting calls included", async () => {
    const flags = await place(`${runtime}-kill`);
    const first = await start(runtime, { args: flags });
    const second = await start(runtime, { args: flags });
    await first.call("start_session", { session_id: "s", project: "p" });
    const read = await second.call("read_events", { channel: "session:*" });
    const since = read.structuredContent?.cursor as string;
    const waiting = (more: object) =>
      second.call("wait_for_event", {
        channel: "session:s",
        events: ["session.updated"],
        timeout: 45,
        ...more,
      });
    const repeated = waiting({ since });
    const lost = waiting({});
    // They are taken in order: when this is answered, the others are under way.
    await second.call("list_sessions");
    first.kill("SIGKILL");
    await first.ended;
    const told = await lost;
    expect(told.isError).toBe(true);
    expect(told.content[0]?.text).toMatch(
      /^NOT_AVAILABLE: The connection to session-buddy was lost .*try again$/,
    );
    await second.call("update_session", { session_id: "s", context: { a: 1 } });
    expect((await repeated).structuredContent).toMatchObject({
      outcome: "matched",
      event: { event: "session.updated" },
    });
    expect(second.isServing()).toBe(true);
    second.close();
    expect(await second.ended).toBe(0);
  });

  it("started five times at once serves once, and all five work on one state, also without the one", async () => {
    const flags = await place(`${runtime}-five`);
    const five = await Promise.all(Array.from({ length: 5 }, () => start(runtime, { args: flags })));
    await Promise.all(five.map((agent, index) => agent.call("start_session", { project: `p${index}` })));
    const all = ["p0", "p1", "p2", "p3", "p4"];
    for (const agent of five) expect(await projectsOf(agent)).toEqual(all);
    const serving = five.filter((agent) => agent.isServing());
    expect(serving).toHaveLength(1);
    serving[0]!.kill("SIGKILL");
    const rest = five.filter((agent) => agent !== serving[0]);
    expect(await Promise.all(rest.map(projectsOf))).toEqual(rest.map(() => all));
    expect(rest.filter((agent) => agent.isServing())).toHaveLength(1);
    for (const agent of rest) agent.close();
    expect(await Promise.all(rest.map(({ ended }) => ended))).toEqual([0, 0, 0, 0]);
    for (const agent of five) expectFramesOnly(agent);
  });
});
