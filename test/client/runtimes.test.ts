import { createServer, type Server } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FrameClient } from "../support/frame-client.ts";
import { buildOnce } from "../support/build-once.ts";
import { freePort, makeScratch, type Scratch, serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime, type Program, type RuntimeName, startProgram } from "../support/start-program.ts";

const PATIENCE_MS = 120_000;
const program = new URL("./client-program.ts", import.meta.url).pathname;

/** On Node as whoever has installed the package imports it, elsewhere from the source. */
const SPECIFIERS: Record<RuntimeName, string> = {
  node: "mcp-realtime/client",
  deno: "../../src/client/mod.ts",
  bun: "../../src/client/mod.ts",
};

// deno-lint-ignore no-explicit-any
type Line = Record<string, any>;

let scratch: Scratch;
beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
}, PATIENCE_MS);
afterAll(() => scratch.remove());

describe.each(["node", "deno", "bun"] as const)("the client on %s", (runtime) => {
  const servers: Serving[] = [];
  const programs: Program<Line>[] = [];
  afterEach(async () => {
    for (const running of programs.splice(0)) await running.stop("SIGKILL");
    for (const server of servers.splice(0)) {
      server.kill("SIGKILL");
      await server.ended;
    }
  });

  async function startServer(port: number): Promise<Serving> {
    const flags = [
      "--port",
      String(port),
      "--http-port",
      "0",
      "--storage",
      `${scratch.folder}/${runtime}.db`,
    ];
    const server = await serve(runtime, {
      entry: "session-buddy",
      args: flags,
      lifetimeMs: PATIENCE_MS,
    });
    servers.push(server);
    return server;
  }

  async function kill(server: Serving): Promise<void> {
    server.kill("SIGKILL");
    await server.ended;
  }

  async function startClient(part: string, url: string): Promise<Program<Line>> {
    const running = await startProgram<Line>(runtime, program, { args: [SPECIFIERS[runtime], part, url] });
    programs.push(running);
    return running;
  }

  const said = (running: Program<Line>) => running.lines.map((line) => JSON.parse(line) as Line);
  const says = (running: Program<Line>, matches: (line: Line) => boolean) =>
    running.line((line) => matches(JSON.parse(line)));

  it.runIf(hasRuntime(runtime))(
    "subscribes, asks, publishes, resumes without a hole after kill -9, and lets the process end",
    async () => {
      const first = await startServer(0);
      const port = Number(new URL(first.websocket).port);
      const running = await startClient("talk", first.websocket);
      await says(running, (line) => line["published"]);
      await says(running, (line) => line["announced"] === "hello");
      await says(running, (line) => line["item"]?.event === "session.created");
      await kill(first);
      await says(running, (line) => line["state"] === "connecting");

      // It can miss these for certain: they happen at a server that it does not know.
      const elsewhere = await startServer(0);
      const other = await FrameClient.open(elsewhere.websocket);
      for (let n = 0; n < 5; n++) {
        const answer = await other.request("update_session", { session_id: "s1", context: { missed: n } });
        expect(answer.type).toBe("response");
      }
      await other.close();
      await kill(elsewhere);

      const second = await startServer(port);
      await says(running, (line) => line["answered"] === "update_session");
      const after = await FrameClient.open(second.websocket);
      const ended = await after.request("end_session", { session_id: "s1" });
      expect(ended.type).toBe("response");
      const history = await after.request("get_history", { channel: "session:s1", limit: 1_000 });
      await after.close();
      expect(await running.ended, running.stderr()).toBe(0);

      const lines = said(running);
      const heard = lines.filter(({ item }) => item).map(({ item }) => item);
      expect(heard.map(({ type }) => type)).toEqual(heard.map(() => "event"));
      expect(heard.map(({ seq, event }) => [seq, event]))
        .toEqual(history.data.events.map(({ seq, event }: Line) => [seq, event]));
      // Created, five that were missed, the one that waited for the server, closed.
      expect(heard).toHaveLength(8);
      expect(heard.filter(({ data }) => data.changes?.asked)).toHaveLength(1);
      const states = lines.filter(({ state }) => state);
      expect(states.map(({ state }) => state)).toEqual(["open", "connecting", "open", "closed"]);
      expect(states.at(-1)).toEqual({ state: "closed", error: null });
      expect(lines.at(-1)).toEqual({ over: "global" });
      expect(lines.filter(({ fault }) => fault)).toEqual([]);
      expect(running.stderr()).toBe("");
    },
    PATIENCE_MS,
  );

  it.runIf(hasRuntime(runtime))(
    "keeps a process alive that waits for a server, and ends it when it is closed",
    async () => {
      const refusing: Server = createServer((socket) => socket.destroy());
      await new Promise<void>((resolve) => refusing.listen(0, "127.0.0.1", resolve));
      const { port } = refusing.address() as { port: number };
      const running = await startClient("wait", `ws://127.0.0.1:${port}`);
      // Both with a server that hangs up, and with none at all.
      await says(running, (line) => line["try"] === 3);
      await new Promise((resolve) => refusing.close(resolve));
      const tries = said(running).length;
      await says(running, (line) => line["try"] === tries + 3);
      expect(said(running).filter(({ state }) => state)).toEqual([]);
      await startServer(port);
      expect(await running.ended, running.stderr()).toBe(0);
      expect(said(running).filter(({ state }) => state)).toEqual([{ state: "open" }, { state: "closed" }]);
      expect(running.stderr()).toBe("");
    },
    PATIENCE_MS,
  );

  it.runIf(hasRuntime(runtime))("lets a process end that gave up between two tries", async () => {
    const running = await startClient("giveUp", `ws://127.0.0.1:${await freePort()}`);
    expect(await running.ended, running.stderr()).toBe(0);
    expect(said(running).slice(1)).toEqual([{ state: "closed" }, { refused: "closed" }]);
    expect(running.stderr()).toBe("");
  });

  // Deno's WebSocket waits for the server's consent for good, and cannot be told to end.
  if (runtime !== "deno") {
    it.runIf(hasRuntime(runtime))(
      "lets a process end whose server neither answers nor closes",
      async () => {
        const server = await startServer(0);
        const running = await startClient("leave", server.websocket);
        await says(running, (line) => line["state"] === "open");
        server.kill("SIGSTOP");
        expect(await running.ended, running.stderr()).toBe(0);
        expect(said(running).slice(1)).toEqual([{ state: "open" }, { state: "connecting" }, {
          state: "closed",
        }]);
      },
      PATIENCE_MS,
    );
  }
});
