/**
 * `mcp-realtime status` and what answers at a port, whatever that is: as a person runs it.
 */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { serveIn } from "../support/cli-service.ts";
import { type CommandEnd, runCommand } from "../support/command-process.ts";

const PATIENCE_MS = 120_000;
const HOSTILE = "\u001b]0;owned\u0007\u001b[2J\u202e";

const scratch = useBuiltScratch();
/** What is answered, by path. */
let answers: Record<string, (response: ServerResponse) => void> = {};
let asked: [path: string, token: string | undefined][] = [];
const server = createServer((request, response) => {
  asked.push([request.url!, request.headers.authorization]);
  const answer = answers[request.url!];
  if (answer) answer(response);
  else response.writeHead(404).end("{}");
});
let http: string;
beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  http = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const json = (body: object, status = 200) => (response: ServerResponse) =>
  void response.writeHead(status).end(JSON.stringify(body));
const HEALTH = json({ server: "crackerjack", metrics: { active_connections: 3, uptime_seconds: 60 } });

function ask(...words: string[]): Promise<CommandEnd> {
  return runCommand(["status", "crackerjack", ...words], {
    folder: scratch.folder,
    environment: { MCP_REALTIME_TOKEN: "a-token" },
  });
}

describe("status", { timeout: PATIENCE_MS }, () => {
  it("shows figures that are figures, and steers no terminal", async () => {
    answers = {
      "/health": json({
        server: "crackerjack",
        metrics: { active_connections: HOSTILE, uptime_seconds: { years: 1 } },
      }),
      "/ready": json({ reason: HOSTILE }, 503),
      "/api/status": json({ rooms: HOSTILE, manager: { [HOSTILE]: HOSTILE } }),
    };
    const { code, stdout, stderr } = await ask("--url", http);
    expect([code, stderr]).toEqual([1, ""]);
    // deno-lint-ignore no-control-regex
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    const [found] = (await ask("--url", http, "--json")).stdout.split("\n").map((line) =>
      line && JSON.parse(line)
    );
    expect(found).toMatchObject({ state: "not ready", uptime_seconds: null, connections: null, rooms: null });
    expect(found.reason).toBe(HOSTILE);
  });

  it("takes none for ready that says 503", async () => {
    answers = { "/health": HEALTH, "/ready": json({ ready: true }, 503), "/api/status": json({ rooms: 2 }) };
    const { code, stdout } = await ask("--url", http, "--json");
    expect([code, JSON.parse(stdout)]).toEqual([
      1,
      expect.objectContaining({ state: "not ready", connections: 3, rooms: 2, authorized: true }),
    ]);
  });

  it("reads no answer without end", async () => {
    const chunk = Buffer.alloc(65_536, "a");
    let sent = 0;
    answers = {
      "/health"(response) {
        const send = () => {
          while (!response.destroyed && response.write(chunk)) sent += chunk.length;
        };
        response.on("drain", send);
        response.write('{"server":"crackerjack","x":"');
        send();
      },
    };
    const { code, stdout } = await ask("--url", http, "--json");
    expect([code, JSON.parse(stdout)]).toEqual([
      1,
      expect.objectContaining({ state: "unknown", reason: "its answer is longer than 1048576 bytes" }),
    ]);
    // What is on the way besides fits into sockets.
    expect(sent).toBeLessThan(50_000_000);
  });

  it("follows nobody elsewhere, with its token even less", async () => {
    const away = (response: ServerResponse) => void response.writeHead(307, { location: "/elsewhere" }).end();
    answers = {
      "/health": HEALTH,
      "/ready": json({}),
      "/api/status": away,
      "/elsewhere": json({ rooms: 9 }),
    };
    asked = [];
    const { stdout } = await ask("--url", http, "--json");
    expect(JSON.parse(stdout)).toMatchObject({ state: "ready", rooms: null });
    expect(asked).toEqual([["/health", undefined], ["/ready", undefined], ["/api/status", "Bearer a-token"]]);
  });

  it("ends with 4 where a service that is named wants a token, and with 0 where none is named", async () => {
    const folder = join(scratch.folder, "closed");
    await mkdir(folder);
    const secret = "a secret that only this file knows";
    const auth = { required: true, secret };
    const service = await serveIn({ folder, service: "crackerjack", settings: { auth } });
    try {
      const named = await ask("--url", service.http, "--json");
      expect([named.code, JSON.parse(named.stdout)]).toEqual([
        4,
        expect.objectContaining({ state: "ready", http: service.http, rooms: null, authorized: false }),
      ]);
      // Its WebSocket's port alone tells neither.
      const guessed = await ask("--url", service.websocket, "--json");
      expect([guessed.code, JSON.parse(guessed.stdout)]).toEqual([
        0,
        expect.objectContaining({ state: "ready", http: null, rooms: null, authorized: null }),
      ]);
      const all = await runCommand(["status", "--json"], {
        folder,
        environment: { MCP_REALTIME_TOKEN: "a-token" },
      });
      expect(all.stdout).toContain('"authorized":false');
      const others = all.stdout.trimEnd().split("\n").map((line) => JSON.parse(line))
        .filter(({ service: name, state }) => name !== "crackerjack" && state !== "not running");
      // Whoever has the usual ports of this machine counts, too.
      if (others.every(({ state }) => state === "ready")) expect(all.code).toBe(0);
    } finally {
      await service.stop();
    }
  });
});
