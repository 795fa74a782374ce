/**
 * `mcp-realtime mcp SERVICE` at its edges: who may, what else has the port, TLS, bad lines, and how it ends.
 */
import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createToken } from "../../src/auth/token.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { buildOnce } from "../support/build-once.ts";
import { type Authority, type Files, makeAuthority, makeFiles } from "../support/certificates.ts";
import {
  type Agent,
  type AgentOptions,
  startAgent,
  startStdio,
  type StdioProcess,
} from "../support/mcp-agent.ts";
import { bind, freePort, makeScratch, type Scratch, serve } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const PATIENCE_MS = 120_000;
const POLL = { timeout: 60_000, interval: 50 };
const SECRET = "a secret that only this file knows";

let scratch: Scratch;
let files: Files;
let authority: Authority;
beforeAll(async () => {
  await buildOnce();
  [scratch, files, authority] = await Promise.all([makeScratch(), makeFiles(), makeAuthority()]);
}, PATIENCE_MS);
afterAll(() => Promise.all([scratch?.remove(), files?.remove()]));

const programs: StdioProcess[] = [];
const servers: { close(): unknown }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  for (const program of programs) program.kill("SIGKILL");
  await Promise.all(programs.splice(0).map(({ ended }) => ended));
});

async function agentOf(runtime: RuntimeName, options: AgentOptions): Promise<Agent> {
  const agent = await startAgent(runtime, options);
  programs.push(agent);
  return agent;
}

function stdio(runtime: RuntimeName, options: AgentOptions): StdioProcess {
  const program = startStdio(runtime, options);
  programs.push(program);
  return program;
}

async function place(name: string, settings: object = {}): Promise<string[]> {
  const file = join(scratch.folder, `${name}.yaml`);
  await writeFile(file, JSON.stringify(settings));
  const [port, httpPort] = [await freePort(), await freePort()];
  const database = join(scratch.folder, `${name}.db`);
  const ports = ["--port", `${port}`, "--http-port", `${httpPort}`];
  return ["session-buddy", ...ports, "--storage", database, "--settings", file];
}

/** Something of somebody else's on a port. */
async function occupy(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  servers.push(server);
}

const rpc = (id: unknown, method: string, params: object = {}) =>
  `${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`;
const HELLO = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "0" } };
const parsed = ({ lines }: StdioProcess) => lines.map((line) => JSON.parse(line));

const runtimes = (["node", "deno", "bun"] as const).filter((name) => hasRuntime(name));

describe.each(runtimes)("mcp on %s", { timeout: PATIENCE_MS }, (runtime: RuntimeName) => {
  it("speaks for the user stdio where the settings hold the secret, serving and served", async () => {
    const flags = await place(`${runtime}-auth`, { auth: { required: true, secret: SECRET } });
    const [first, second] = [
      await agentOf(runtime, { args: flags }),
      await agentOf(runtime, { args: flags }),
    ];
    expect([first.isServing(), second.isServing()]).toEqual([true, false]);
    for (const [index, agent] of [first, second].entries()) {
      const made = await agent.call("start_session", { project: `p${index}` });
      expect(made.isError).toBeUndefined();
    }
    expect((await second.call("list_sessions")).structuredContent?.sessions).toHaveLength(2);
  });

  it("takes a token from the environment, and no more than it allows", async () => {
    const flags = await place(`${runtime}-token`, { auth: { required: true, secret: SECRET } });
    const token = (permissions: string[], secret = SECRET) =>
      createToken({ secret, userId: "ada", permissions, clock: systemClock });
    const reader = await agentOf(runtime, {
      args: flags,
      environment: { MCP_REALTIME_TOKEN: await token(["session-buddy:read"]) },
    });
    expect((await reader.call("list_sessions")).structuredContent).toMatchObject({ sessions: [] });
    const refused = await reader.call("start_session", { project: "p" });
    expect(refused).toMatchObject({ isError: true, _meta: { error_code: "FORBIDDEN" } });

    const forged = stdio(runtime, {
      args: flags,
      environment: { MCP_REALTIME_TOKEN: await token(["admin"], "another secret") },
    });
    forged.write(rpc(1, "initialize", HELLO));
    await expect.poll(() => parsed(forged), POLL).toEqual([{
      jsonrpc: "2.0",
      id: 1,
      error: {
        code: -32000,
        message: expect.stringMatching(/: give a valid token of session-buddy in MCP_REALTIME_TOKEN$/),
      },
    }]);
    forged.close();
    expect(await forged.ended).toBe(0);
  });

  it("says what else has its HTTP port, and ends with exit code 1", async () => {
    const flags = await place(`${runtime}-foreign`);
    const port = Number(flags[4]);
    await occupy(createServer((_, answer) => void answer.end("hello")), port);
    const program = stdio(runtime, { args: flags });
    expect(await program.ended).toBe(1);
    expect(program.stdout()).toBe("");
    expect(program.stderr()).toBe(
      `Cannot reach session-buddy at http://127.0.0.1:${port}: something else answers there; stop it, or choose ` +
        "another port (setting http.port of session-buddy, or flag --http-port)\n",
    );
  });

  it("does not take another service for its own", async () => {
    const other = await serve(runtime, { args: ["akosha", ...scratch.flags(`${runtime}-akosha`)] });
    const flags = await place(`${runtime}-other`);
    flags[4] = new URL(other.http).port;
    const program = stdio(runtime, { args: flags });
    expect(await program.ended).toBe(1);
    expect(program.stderr()).toContain(
      `Cannot reach session-buddy at ${other.http}: "akosha" answers there;`,
    );
    other.kill("SIGTERM");
    await other.ended;
  });

  it("says so where something else has its WebSocket port", async () => {
    const flags = await place(`${runtime}-socket`);
    await occupy(createServer((_, answer) => void answer.end("hello")), Number(flags[2]));
    const program = stdio(runtime, { args: flags });
    expect(await program.ended).toBe(1);
    expect(program.stderr()).toContain(
      `Cannot listen on 127.0.0.1:${
        flags[2]
      }: another program uses this port; stop it or choose another port ` +
        "(setting websocket.port of session-buddy, or flag --port)\n",
    );
    await bind(Number(flags[4]));
  });

  it("answers bad lines with errors and goes on, and ends with its standard input", async () => {
    const program = stdio(runtime, { args: await place(`${runtime}-lines`) });
    program.write(rpc(1, "initialize", HELLO));
    program.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\r\n');
    program.write('nonsense\n\n[]\n{"jsonrpc":"1.0","id":7,"method":"ping"}\n');
    program.write(`{"jsonrpc":"2.0","id":8,"method":"ping","params":{"text":"${"x".repeat(4_194_304)}"}}\n`);
    program.write(rpc("last", "ping"));
    // Without a newline at its end, it counts all the same.
    program.write(rpc("very last", "tools/call", { name: "list_sessions" }).trimEnd());
    program.close();
    expect(await program.ended).toBe(0);
    expect(program.stdout()).toMatch(/\n$/);
    expect(parsed(program)).toMatchObject([
      { id: 1, result: { serverInfo: { name: "session-buddy" } } },
      { id: null, error: { code: -32700, message: expect.stringMatching(/^Parse error: /) } },
      { id: null, error: { code: -32600 } },
      { id: 7, error: { code: -32600, message: 'Expected "jsonrpc": "2.0"' } },
      { id: null, error: { code: -32700, message: expect.stringMatching(/longer than 4194304 bytes/) } },
      { id: "last", result: {} },
      { id: "very last", result: { structuredContent: { sessions: [] } } },
    ]);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("ends in order on %s, serving and served", async (signal) => {
    const flags = await place(`${runtime}-${signal}`);
    const [first, second] = [
      await agentOf(runtime, { args: flags }),
      await agentOf(runtime, { args: flags }),
    ];
    for (const agent of [second, first]) {
      agent.kill(signal);
      expect(await agent.ended).toBe(0);
    }
    expect(first.stderr()).toContain("Server stopped");
    await Promise.all([bind(Number(flags[2])), bind(Number(flags[4]))]);
  });

  it("goes over TLS to a service whose self-signed certificate the settings name", async () => {
    const [cert_file, key_file] = [files.path(`${runtime}.pem`), files.path(`${runtime}.key`)];
    const flags = await place(`${runtime}-tls`, { tls: { cert_file, key_file, dev_certificate: true } });
    const [first, second] = [
      await agentOf(runtime, { args: flags }),
      await agentOf(runtime, { args: flags }),
    ];
    expect([first.isServing(), second.isServing()]).toEqual([true, false]);
    expect(second.origin()).toMatch(/^https:/);
    await first.call("start_session", { project: "p" });
    expect((await second.call("list_sessions")).structuredContent?.sessions).toHaveLength(1);
    first.close();
    await first.ended;
    expect((await second.call("list_sessions")).structuredContent?.sessions).toHaveLength(1);
    expect(second.isServing()).toBe(true);
  });

  it("says what to do about a certificate that it cannot trust", async () => {
    const { cert_file, key_file } = await files.store(`${runtime}-issued`, await authority.issue());
    const flags = await place(`${runtime}-issued`, { tls: { cert_file, key_file } });
    const first = await agentOf(runtime, { args: flags });
    const other = await place(`${runtime}-distrust`, { tls: { dev_certificate: true } });
    other[4] = flags[4]!;
    const program = stdio(runtime, { args: other });
    expect(await program.ended).toBe(1);
    const variable = runtime === "deno" ? "DENO_CERT" : "NODE_EXTRA_CA_CERTS";
    expect(program.stderr()).toMatch(
      new RegExp(`its certificate is not trusted \\(.*\\); keep its certificate in files .*${variable}\\n$`),
    );
    first.close();
    expect(await first.ended).toBe(0);
  });
});

describe("mcp", { timeout: PATIENCE_MS }, () => {
  it("says what the command line lacks, with exit code 2", async () => {
    const told = async (...args: string[]) => {
      const program = stdio("node", { args });
      return [await program.ended, program.stdout(), program.stderr()];
    };
    const known = "session-buddy, mahavishnu, akosha, crackerjack, dhruva, excalidraw";
    expect(await told()).toEqual([
      2,
      "",
      'mcp: missing required argument "SERVICE"; see mcp-realtime mcp --help\n',
    ]);
    expect(await told("akosa")).toEqual([
      2,
      "",
      `mcp: expected a service of ${known}, got "akosa": did you mean "akosha"?\n`,
    ]);
    expect(await told("akosha", "--folder", join(scratch.folder, "none"))).toEqual([
      2,
      "",
      expect.stringMatching(/^--folder: expected a folder, got ".*", which cannot be entered\n$/),
    ]);
    const [code, help] = await told("--help");
    expect([code, help]).toEqual([0, expect.stringMatching(/^Usage: mcp-realtime mcp SERVICE \[FLAGS\]/)]);
  });

  it("keeps data where --folder says", async () => {
    const flags = ["session-buddy", "--port", "0", "--http-port", "0", "--storage", "kept/here.db"];
    const first = await agentOf("node", { args: [...flags, "--folder", scratch.folder], folder: "/" });
    await first.call("start_session", { project: "p" });
    first.close();
    expect(await first.ended).toBe(0);
    const second = await agentOf("node", { args: [...flags, `--folder=${scratch.folder}`] });
    expect((await second.call("list_sessions")).structuredContent?.sessions).toHaveLength(1);
  });
});
