import { once } from "node:events";
import { copyFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../../src/runtimes/database.ts";
import { SERVICES } from "../../src/cli/services.ts";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { FrameClient } from "../support/frame-client.ts";
import { get, post } from "../support/http-client.ts";
import { bind, type Entry, freePort, runToEnd, serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";
import { connectClient } from "../mcp/mcp-client.ts";

const STOP_MS = 5_000;

const scratch = useBuiltScratch();

/** Use every address that the program has printed. Leaves a client connected. */
async function useAddresses({ websocket, http, mcp }: Serving, name: string): Promise<FrameClient> {
  expect(websocket).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/);
  const client = await FrameClient.open(websocket);
  await client.request("subscribe", { channel: "global" });
  const started = await post(`${http}/api/requests/start_session`, { session_id: name, project: "process" });
  expect(started.body).toMatchObject({ session_id: name, version: 1 });
  expect((await client.event("session.created", "global")).data.session_id).toBe(name);

  expect((await get(`${http}/health`)).body).toMatchObject({ status: "healthy", server: "session-buddy" });
  expect((await get(`${http}/metrics`)).body).toContain("websocket_connections_active");
  const onHttpPort = await FrameClient.open(`${http.replace("http", "ws")}/ws`);
  expect((await onHttpPort.request("get_session", { session_id: name })).data.project).toBe("process");

  const agent = await connectClient(mcp);
  const status = await agent.call("websocket_status");
  expect(status.structuredContent).toMatchObject({ running: true, connections: 2 });
  await agent.client.close();
  await onHttpPort.close();
  return client;
}

/** Ask the program to stop, and see that it does in good order. */
async function stopInOrder(program: Serving, client: FrameClient, signal: NodeJS.Signals): Promise<void> {
  const asked = performance.now();
  program.kill(signal);
  expect(await client.closed).toMatchObject({ code: 1001 });
  const { code, complaints } = await program.ended;
  expect(performance.now() - asked).toBeLessThan(STOP_MS);
  expect(complaints).toEqual([]);
  expect(code).toBe(0);
  expect(program.isAlive()).toBe(false);
  for (const url of [program.websocket, program.http]) await bind(Number(new URL(url).port));
}

const ways: { runtime: RuntimeName; entry: Entry; signal: NodeJS.Signals }[] = [
  { runtime: "node", entry: "start", signal: "SIGINT" },
  { runtime: "node", entry: "serve", signal: "SIGTERM" },
  { runtime: "node", entry: "session-buddy", signal: "SIGTERM" },
  { runtime: "deno", entry: "serve", signal: "SIGTERM" },
  { runtime: "deno", entry: "session-buddy", signal: "SIGINT" },
  { runtime: "bun", entry: "serve", signal: "SIGINT" },
  { runtime: "bun", entry: "session-buddy", signal: "SIGTERM" },
];

describe.each(ways)("$entry on $runtime", ({ runtime, entry, signal }) => {
  it.runIf(hasRuntime(runtime))(
    `serves at the addresses it prints, and ends in order on ${signal}`,
    async () => {
      const name = `${runtime}-${entry}`;
      const named = entry === "session-buddy" ? [] : ["session-buddy"];
      const program = await serve(runtime, { entry, args: [...named, ...scratch.flags(name)] });
      const client = await useAddresses(program, name);
      expect(program.stderr()).toContain(
        `WebSocket server started on port ${new URL(program.websocket).port}`,
      );
      await stopInOrder(program, client, signal);
    },
  );
});

describe.each(["node", "deno", "bun"] as const)("serve on %s", (runtime) => {
  it.runIf(hasRuntime(runtime))("opens the ports that --port and --http-port name", async () => {
    const [port, httpPort] = [await freePort(), await freePort()];
    const flags = ["session-buddy", "--port", `${port}`, `--http-port=${httpPort}`, "--storage", ":memory:"];
    const program = await serve(runtime, { args: flags });
    expect(program.websocket).toBe(`ws://127.0.0.1:${port}`);
    expect(program.http).toBe(`http://127.0.0.1:${httpPort}`);
    expect(program.mcp).toBe(`http://127.0.0.1:${httpPort}/mcp`);
    const client = await FrameClient.open(program.websocket);
    // A browser opens connections that it may need later.
    const silent = connect({ host: "127.0.0.1", port: httpPort });
    await once(silent, "connect");
    const asked = performance.now();
    await stopInOrder(program, client, "SIGTERM");
    expect(performance.now() - asked).toBeLessThan(STOP_MS / 2);
    silent.destroy();
  });

  it.runIf(hasRuntime(runtime))("serves every service where none is named", async () => {
    const program = await serve(runtime, {
      args: ["--port", "0", "--http-port", "0", "--storage", ":memory:"],
    });
    const names = program.stdout().split("\n").filter((line) => /^[a-z-]+$/.test(line));
    expect(names).toEqual(Object.keys(SERVICES));
    for (const [http] of program.stdout().matchAll(/http:\S+(?<!mcp)$/gm)) {
      expect((await get(`${http}/health`)).body).toMatchObject({ status: "healthy" });
    }
    program.kill("SIGTERM");
    expect(await program.ended).toMatchObject({ code: 0, complaints: [] });
  });

  it.runIf(hasRuntime(runtime))("answers a POST that says nothing of its length", async () => {
    const program = await serve(runtime, { args: ["session-buddy", ...scratch.flags(`length-${runtime}`)] });
    const { port } = new URL(program.http);
    for (const [head, body] of [["", ""], ["Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"]]) {
      const socket = connect({ host: "127.0.0.1", port: Number(port) });
      const type = "Content-Type: application/json\r\n";
      socket.write(
        `POST /api/requests/list_sessions HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n${type}${head}\r\n${body}`,
      );
      let answer = "";
      for await (const part of socket.setEncoding("utf8")) answer += part;
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
      expect(answer).toContain('"sessions"');
    }
    program.kill("SIGTERM");
    expect(await program.ended).toMatchObject({ code: 0, complaints: [] });
  });

  it.runIf(hasRuntime(runtime))("leaves a database file that is whole by itself", async () => {
    const file = join(scratch.folder, `whole-${runtime}.db`);
    const program = await serve(runtime, {
      args: ["session-buddy", "--port", "0", "--http-port", "0", "--storage", file],
    });
    await post(`${program.http}/api/requests/start_session`, { session_id: "kept", project: "whole" });
    // A client that does not read its close frame keeps the process until the handshake's time is over, no longer.
    const stalled = await FrameClient.open(program.websocket);
    stalled.ws.pause();
    program.kill("SIGTERM");
    expect((await program.ended).code).toBe(0);
    stalled.ws.terminate();
    await copyFile(file, `${file}.copy`);
    const database = await openDatabase(`${file}.copy`);
    expect(database.prepare("SELECT session_id FROM sessions").all()).toEqual([{ session_id: "kept" }]);
    database.close();
  });
});

it("--help prints the flags to standard output and ends with 0", async () => {
  for (const entry of ["serve", "session-buddy"] as const) {
    const { code, stdout, stderr } = await runToEnd("node", { entry, args: ["--help"] });
    expect(code).toBe(0);
    expect(stderr).toBe("");
    for (const flag of ["--port", "--http-port", "--storage", "--settings"]) expect(stdout).toContain(flag);
  }
});
