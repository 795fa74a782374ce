/**
 * `mcp-realtime mcp config`, as a person runs it.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/stdio"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MCP_CLIENTS } from "../../src/cli/mcp/clients.ts";
import { SERVICES } from "../../src/cli/services.ts";
import { buildOnce } from "../support/build-once.ts";
import { startStdio } from "../support/mcp-agent.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const PATIENCE_MS = 120_000;
const SECRET = "a secret that only this file knows";

let folder: string;
beforeAll(async () => {
  await buildOnce();
  folder = await mkdtemp(join(tmpdir(), "realtime-config-"));
  await mkdir(join(folder, "settings"));
  const settings = { auth: { required: true, secret: SECRET }, http: { port: 9_000 } };
  await writeFile(join(folder, "settings/dhruva.yaml"), JSON.stringify(settings));
}, PATIENCE_MS);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function config(words: readonly string[], runtime: RuntimeName = "node") {
  const program = startStdio(runtime, { args: ["config", ...words], folder });
  program.close();
  const code = await program.ended;
  return { code, stdout: program.stdout(), stderr: program.stderr() };
}

/** What is printed, as JSON. */
// deno-lint-ignore no-explicit-any
async function printed(...words: string[]): Promise<any> {
  const { code, stdout, stderr } = await config(words);
  expect([code, stderr.split("\n")[0]]).toEqual([
    0,
    `For the configuration of ${MCP_CLIENTS[words[0]!]!.title}; what is there already stays beside it:`,
  ]);
  return JSON.parse(stdout);
}

describe("mcp config", { timeout: PATIENCE_MS }, () => {
  it("prints all services for a client that starts them, and nothing but that on standard output", async () => {
    const { mcpServers } = await printed("claude-desktop");
    expect(Object.keys(mcpServers)).toEqual(Object.keys(SERVICES));
    expect(mcpServers.dhruva).toEqual({ command: "npx", args: ["-y", "mcp-realtime", "mcp", "dhruva"] });
    const { stderr } = await config(["claude-desktop"]);
    for (const place of MCP_CLIENTS["claude-desktop"]!.places) expect(stderr).toContain(`\n  ${place}\n`);
  });

  it("writes what each client expects", async () => {
    const started = { command: "npx", args: ["-y", "mcp-realtime", "mcp", "akosha"] };
    const typed = { type: "stdio", ...started };
    expect(await printed("claude-code", "akosha")).toEqual({ mcpServers: { akosha: typed } });
    expect(await printed("cursor", "akosha")).toEqual({ mcpServers: { akosha: started } });
    expect(await printed("vscode", "akosha")).toEqual({ servers: { akosha: typed } });
    expect(await printed("windsurf", "akosha")).toEqual({ mcpServers: { akosha: started } });
    expect(await printed("zed", "akosha")).toEqual({ context_servers: { akosha: started } });
    expect(await printed("gemini-cli", "akosha")).toEqual({ mcpServers: { akosha: started } });
    expect((await config(["codex", "akosha", "session-buddy"])).stdout).toBe(
      '[mcp_servers.akosha]\ncommand = "npx"\nargs = ["-y", "mcp-realtime", "mcp", "akosha"]\n\n' +
        '[mcp_servers.session-buddy]\ncommand = "npx"\nargs = ["-y", "mcp-realtime", "mcp", "session-buddy"]\n',
    );
  });

  it("writes addresses with --http, from the settings, with a token that stands in the environment", async () => {
    const url = "http://127.0.0.1:9000/mcp";
    const with_ = (reference: string) => ({ headers: { Authorization: `Bearer ${reference}` } });
    const dhruva = async (client: string) => {
      // deno-lint-ignore no-explicit-any
      const [servers] = Object.values(await printed(client, "dhruva", "--http")) as any[];
      return servers.dhruva;
    };
    const editors = with_("${env:MCP_REALTIME_TOKEN}");
    expect(await dhruva("claude-code")).toEqual({ type: "http", url, ...with_("${MCP_REALTIME_TOKEN}") });
    expect(await dhruva("cursor")).toEqual({ url, ...editors });
    const id = "mcp-realtime-token";
    const vscode = await printed("vscode", "dhruva", "akosha", "--http");
    expect(vscode.servers.dhruva).toEqual({ type: "http", url, ...with_(`\${input:${id}}`) });
    expect(vscode.inputs).toMatchObject([{ type: "promptString", id, password: true }]);
    expect((await config(["vscode", "dhruva", "--http"])).stderr).toContain("asks for the token");
    expect(await dhruva("windsurf")).toEqual({ serverUrl: url, ...editors });
    expect(await dhruva("zed")).toEqual({ url, ...with_("TOKEN") });
    expect(await dhruva("gemini-cli")).toEqual({ httpUrl: url, ...with_("$MCP_REALTIME_TOKEN") });
    const codex = await config(["codex", "dhruva", "akosha", "--http"]);
    expect(codex.stdout).toBe(
      `[mcp_servers.dhruva]\nurl = "${url}"\nbearer_token_env_var = "MCP_REALTIME_TOKEN"\n\n` +
        '[mcp_servers.akosha]\nurl = "http://127.0.0.1:8682/mcp"\n',
    );
    expect(codex.stdout + codex.stderr).not.toContain(SECRET);
    expect(await printed("cursor", "akosha", "--http")).toEqual({
      mcpServers: { akosha: { url: "http://127.0.0.1:8682/mcp" } },
    });
  });

  it("names what is started, and the folder of settings and data", async () => {
    const started = async (...words: string[]) =>
      (await printed("cursor", "akosha", ...words)).mcpServers.akosha;
    expect(await started("--command", "deno")).toEqual({
      command: "deno",
      args: ["run", "-A", "npm:mcp-realtime", "mcp", "akosha"],
    });
    expect(await started("--command=bun", "--folder", "data")).toEqual({
      command: "bunx",
      args: ["--bun", "mcp-realtime", "mcp", "akosha", "--folder", join(folder, "data")],
    });
  });

  it.each(["node", "deno", "bun"] as const)(
    "prints a command of its own that works, on %s",
    async (runtime) => {
      if (!hasRuntime(runtime)) return;
      const { stdout } = await config(["cursor", "akosha", "--command", "here", "--folder", folder], runtime);
      const { command, args } = JSON.parse(stdout).mcpServers.akosha;
      const ports = ["--port", "0", "--http-port", "0"];
      const transport = new StdioClientTransport({ command, args: [...args, ...ports], stderr: "ignore" });
      const client = new Client({ name: "test", version: "0" });
      await client.connect(transport, { timeout: 60_000 });
      expect(client.getServerVersion()).toMatchObject({ name: "akosha" });
      await client.close();
    },
  );

  it("says what the command line lacks, with the nearest client, service and flag", async () => {
    const told = async (...words: string[]) => {
      const { code, stdout, stderr } = await config(words);
      return [code, stdout, stderr];
    };
    const clients = "claude-desktop, claude-code, cursor, vscode, windsurf, zed, codex, gemini-cli";
    const see = "see mcp-realtime mcp config --help\n";
    expect(await told()).toEqual([2, "", `mcp config: missing required argument "CLIENT"; ${see}`]);
    expect(await told("vs-code")).toEqual([
      2,
      "",
      `mcp config: expected a client of ${clients}, got "vs-code": did you mean "vscode"?\n`,
    ]);
    expect(await told("zeed", "akosa")).toEqual([
      2,
      "",
      `mcp config: expected a client of ${clients}, got "zeed": did you mean "zed"?\n` +
      `mcp config: expected a service of ${
        Object.keys(SERVICES).join(", ")
      }, got "akosa": did you mean "akosha"?\n`,
    ]);
    const cases: [string[], string][] = [
      [["zed", "--htp"], 'mcp config: unknown option "--htp", did you mean "--http"?\n'],
      [["zed", "--http=yes"], `mcp config: option "--http" takes no value, and got one; ${see}`],
      [["zed", "--command", "yarn"], '--command: expected npx, deno, bun, here, got "yarn"\n'],
      [["claude-desktop", "--http"], "--http: Claude Desktop starts its servers: leave it out\n"],
      [
        ["zed", "--http", "--folder", "."],
        "--folder: nothing is started with --http: leave one of them out\n",
      ],
      [["zed", "--folder"], `mcp config: option "--folder" argument missing; ${see}`],
      [["zed", "--folder="], "--folder: expected a value (DIR), got none\n"],
      [["zed", "--folder", "--http"], "--folder: expected a value (DIR), got none\n"],
      [["zed", "--folder", "a", "--folder", "b"], "--folder: expected it once, got it twice\n"],
    ];
    for (const [words, sentence] of cases) expect(await told(...words)).toEqual([2, "", sentence]);
    const [code, help] = await told("--help");
    expect([code, help]).toEqual([0, expect.stringMatching(/^Usage: mcp-realtime mcp config CLIENT /)]);
  });

  it("has a row for every client on its page", async () => {
    const page = await readFile(new URL("../../docs/mcp-clients.md", import.meta.url), "utf8");
    expect([...page.matchAll(/^\| `([\w-]+)` /gm)].map(([, name]) => name)).toEqual(Object.keys(MCP_CLIENTS));
    for (const client of Object.values(MCP_CLIENTS)) {
      const files = client.places.flatMap((place) => place.match(/[^ ]*\.(json|toml)\b/g) ?? []);
      for (const file of files) expect(page).toContain(file.slice(file.lastIndexOf(":") + 1));
    }
  });
});
