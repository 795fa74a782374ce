/**
 * What the whole program must do where nothing but itself is there: an empty environment, an empty folder.
 *
 * @module
 */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { SERVICES } from "../../src/cli/services.ts";
import { VERSION } from "../../src/protocol/version.ts";
import { connectClient } from "../mcp/mcp-client.ts";
import { FrameClient } from "../support/frame-client.ts";
import { get, post } from "../support/http-client.ts";
import { type Addresses, addressesIn, type Command, type EndedProgram, launch } from "./program.ts";
import { stdioAgent } from "./stdio-agent.ts";

const PATIENCE_MS = 120_000;
const SECRET = "a secret that only this file knows";
const FREE_PORTS = ["--port", "0", "--http-port", "0"];

const COBERTURA = '<?xml version="1.0"?><coverage line-rate="0.5" lines-covered="1" lines-valid="2">' +
  '<packages><package name="p"><classes><class name="c" filename="c.py" line-rate="0.5">' +
  '<lines><line number="1" hits="1"/><line number="2" hits="0"/></lines></class></classes></package></packages></coverage>';

/** @param find The command, and how it calls itself; asked once, before the first test. */
export function programSuite(find: () => Command & { readonly here: readonly string[] }): void {
  let command: ReturnType<typeof find>;
  let folder: string;
  beforeAll(async () => {
    command = find();
    folder = await mkdtemp(join(tmpdir(), "realtime-alone-"));
  }, PATIENCE_MS);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** An empty folder of this name. */
  async function place(name: string): Promise<string> {
    const path = join(folder, name);
    await mkdir(path);
    return path;
  }
  const run = (words: readonly string[], where = folder, environment = {}) =>
    launch(command, words, { folder: where, environment }).ended;

  async function serving<T>(
    words: readonly string[],
    where: string,
    use: (addresses: Map<string, Addresses>) => Promise<T>,
    environment = {},
  ): Promise<{ result: T; ended: EndedProgram }> {
    const program = launch(command, ["serve", ...words], { folder: where, environment });
    try {
      await program.says("Stop with Ctrl-C");
      const result = await use(addressesIn(program.stdout()));
      program.kill("SIGTERM");
      return { result, ended: await program.ended };
    } finally {
      program.kill("SIGKILL");
    }
  }

  it("tells its version and how it is used", async () => {
    expect(await run(["--version"])).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: "" });
    expect(await run(["--help"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("serve"),
      stderr: "",
    });
    expect(await run(["no-such-command"])).toMatchObject({ code: 2, stdout: "" });
    expect(await run(["serve", "no-such-service"])).toMatchObject({ code: 2, stdout: "" });
  }, PATIENCE_MS);

  it("serves all services over WebSocket, HTTP and MCP", async () => {
    const { ended } = await serving(FREE_PORTS, await place("all"), async (addresses) => {
      expect([...addresses.keys()]).toEqual(Object.keys(SERVICES));
      for (const [name, { websocket, http, mcp }] of addresses) {
        const client = await FrameClient.open(websocket);
        expect((await client.request("subscribe", { channel: "global" })).type, name).toBe("response");
        expect((await client.request("get_status")).data, name).toMatchObject({
          service: name,
          running: true,
        });
        await client.close();
        expect((await get(`${http}/health`)).body, name).toMatchObject({ status: "healthy", server: name });
        expect((await get(`${http}/ready`)).status, name).toBe(200);
        expect((await get(`${http}/metrics`)).body, name).toContain("websocket_rooms");
        const agent = await connectClient(mcp);
        expect((await agent.client.listTools()).tools.map((tool) => tool.name), name).toContain(
          "wait_for_event",
        );
        expect((await agent.call("websocket_status")).structuredContent, name).toMatchObject({
          running: true,
        });
        await agent.transport.terminateSession();
        await agent.client.close();
      }
    });
    expect(ended.code).toBe(0);
    expect(ended.stderr).not.toMatch(/ ERROR /);
  }, PATIENCE_MS);

  it("keeps what it was told over a restart, and the parts that are loaded late do their work", async () => {
    const where = await place("kept");
    await mkdir(join(where, "workflows"));
    await writeFile(join(where, "workflows/one.yaml"), "stages:\n  only:\n    run: [/bin/echo, hello]\n");
    await mkdir(join(where, "settings"));
    // Flow style and an escape: more than the small reader of plain files takes.
    await writeFile(
      join(where, "settings/crackerjack.yaml"),
      'crackerjack: { projects: { tap: { path: ".", command: [ "/bin/sh", "-c", "printf \'1..1\\nok 1 - it\\n\'" ] } } }\n',
    );
    const post_ = async (at: string, name: string, data: object) => {
      const { status, body } = await post(`${at}/api/requests/${name}`, data);
      expect([status, body], name).toEqual([200, expect.any(Object)]);
      return body;
    };
    const first = await serving(FREE_PORTS, where, async (addresses) => {
      const at = (name: string) => addresses.get(name)!.http;
      await post_(at("session-buddy"), "start_session", { session_id: "kept", project: "alone" });
      await post_(at("session-buddy"), "capture_knowledge", {
        session_id: "kept",
        kind: "insight",
        content: "It stands alone",
      });
      await post_(at("akosha"), "record_observations", { observations: [{ metric: "m", value: 1 }] });
      await post_(at("excalidraw"), "create_diagram", { diagram_id: "kept" });
      await post_(at("dhruva"), "store_adapter", { domain: "d", key: "k", provider: "p", version: "1" });
      const { workflow_id } = await post_(at("mahavishnu"), "run_workflow", { definition: "one" });
      const { run_id } = await post_(at("crackerjack"), "run_tests", { project: "tap" });
      const done = { timeout: 60_000 };
      await expect.poll(() => post_(at("mahavishnu"), "get_workflow_status", { workflow_id }), done)
        .toMatchObject({ status: "completed" });
      expect(await post_(at("mahavishnu"), "get_stage_output", { workflow_id, stage_name: "only" }))
        .toMatchObject({ output: "hello\n" });
      await expect.poll(() => post_(at("crackerjack"), "get_test_status", { run_id }), done)
        .toMatchObject({ status: "passed", passed: 1 });
      expect(await post_(at("crackerjack"), "report_coverage", { project: "tap", content: COBERTURA }))
        .toMatchObject({ line_coverage: 50, format: "cobertura" });
      const lcov = "SF:a.ts\nDA:1,1\nDA:2,0\nDA:3,0\nDA:4,0\nLF:4\nLH:1\nend_of_record\n";
      expect(await post_(at("crackerjack"), "report_coverage", { project: "tap", content: lcov }))
        .toMatchObject({ line_coverage: 25, format: "lcov" });
      return { workflow_id, run_id };
    });
    expect(first.ended.code).toBe(0);
    const { workflow_id, run_id } = first.result;
    const { ended } = await serving(FREE_PORTS, where, async (addresses) => {
      const at = (name: string) => addresses.get(name)!.http;
      expect(await post_(at("session-buddy"), "search_knowledge", { query: "alone" })).toMatchObject({
        count: 1,
      });
      expect(await post_(at("akosha"), "list_metrics", {})).toMatchObject({ metrics: [{ metric: "m" }] });
      expect(await post_(at("excalidraw"), "get_diagram", { diagram_id: "kept" }))
        .toMatchObject({ diagram_id: "kept" });
      expect(await post_(at("dhruva"), "get_adapter_status", { adapter_id: "d:k:p" }))
        .toMatchObject({ version: "1" });
      expect(await post_(at("mahavishnu"), "get_workflow_status", { workflow_id }))
        .toMatchObject({ status: "completed" });
      expect(await post_(at("crackerjack"), "get_test_status", { run_id })).toMatchObject({
        status: "passed",
      });
    });
    expect(ended.code).toBe(0);
  }, PATIENCE_MS);

  it("makes tokens and takes them, over TLS with a certificate of its own making", async () => {
    const environment = { SESSION_BUDDY_JWT_SECRET: SECRET, SESSION_BUDDY_AUTH_ENABLED: "true" };
    const where = await place("secured");
    const words = ["--service", "session-buddy", "--user", "ada", "--permission", "session-buddy:read"];
    const made = await run(["token", "create", ...words], where, environment);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+\n$/) });
    const token = made.stdout.trim();
    await writeFile(
      join(where, "settings.yaml"),
      "tls:\n  dev_certificate: true\n  cert_file: cert.pem\n  key_file: key.pem\n",
    );
    const flags = ["session-buddy", "--settings", "settings.yaml", ...FREE_PORTS];
    const { ended } = await serving(flags, where, async (addresses) => {
      const { websocket } = addresses.get("session-buddy")!;
      const ca = await readFile(join(where, "cert.pem"), "utf8");
      const client = await FrameClient.open(websocket, { ca, headers: { authorization: `Bearer ${token}` } });
      expect((await client.request("list_sessions")).data).toMatchObject({ sessions: [] });
      expect((await client.request("start_session", { project: "p" })).error_code).toBe("FORBIDDEN");
      await client.close();
    }, environment);
    expect(ended.code).toBe(0);
  }, PATIENCE_MS);

  it("tells a client of MCP how to start it, and speaks MCP when it is started so", async () => {
    const where = await place("agent");
    const told = await run(["mcp", "config", "cursor", "dhruva", "--command", "here", "--folder", where]);
    expect(told.code).toBe(0);
    const entry = JSON.parse(told.stdout).mcpServers.dhruva as { command: string; args: string[] };
    expect([entry.command, ...entry.args].join(" ")).toBe(
      [...command.here, "mcp dhruva --folder", where].join(" "),
    );
    await mkdir(join(where, "settings"));
    await writeFile(join(where, "settings/dhruva.yaml"), "websocket:\n  port: 0\nhttp:\n  port: 0\n");
    const agent = await stdioAgent(entry);
    const { tools } = await agent.listTools();
    expect(tools.map((tool) => tool.name)).toContain("store_adapter");
    await agent.close();
  }, PATIENCE_MS);

  it("loads nothing from the folder that it is started in", async () => {
    const where = await place("hostile");
    await writeFile(join(where, ".env"), "SESSION_BUDDY_PORT=not-a-port\n");
    await writeFile(join(where, "bunfig.toml"), 'preload = ["./preload.js"]\n');
    await writeFile(join(where, "preload.js"), "console.log('loaded');\n");
    await writeFile(join(where, "deno.json"), "{ not json");
    await writeFile(join(where, "package.json"), "{ not json");
    await chmod(join(where, "preload.js"), 0o755);
    const { ended } = await serving(["session-buddy", ...FREE_PORTS], where, (addresses) => {
      expect(addresses.size).toBe(1);
      return Promise.resolve();
    });
    expect(ended).toMatchObject({ code: 0, stdout: expect.not.stringContaining("loaded") });
  }, PATIENCE_MS);
}
