import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildOnce } from "../support/build-once.ts";
import { type Files, makeAuthority, makeFiles } from "../support/certificates.ts";
import { FrameClient } from "../support/frame-client.ts";
import { get } from "../support/http-client.ts";
import { makeScratch, type Scratch, serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const POLL = { timeout: 30_000, interval: 20 };
const FORGED = "bye\n2026-01-01T00:00:00.000Z ERROR forged\r\u001b[2J\u009b31m\u2028";
// deno-lint-ignore no-control-regex
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/;

let scratch: Scratch;
let files: Files;
let ports = 0;
beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
  files = await makeFiles();
}, 300_000);
afterAll(async () => {
  await scratch?.remove();
  await files?.remove();
});

const running: Serving[] = [];
afterAll(async () => {
  for (const service of running) service.kill("SIGKILL");
  await Promise.all(running.map(({ ended }) => ended));
});

async function start(runtime: RuntimeName, args: readonly string[], environment = {}): Promise<Serving> {
  const flags = scratch.flags(`${runtime}-${++ports}`);
  const service = await serve(runtime, { entry: "session-buddy", args: [...flags, ...args], environment });
  running.push(service);
  return service;
}

const linesOf = (service: Serving) => service.stderr().split("\n").filter((line) => line !== "");

/** One that came and went, with a reason that is to look like more than one line. */
async function visit(service: Serving): Promise<void> {
  const client = await FrameClient.open(service.websocket);
  await client.request("ping");
  client.ws.close(4000, FORGED);
  await client.closed;
  const isTold = () => service.stderr().includes("Client disconnected");
  await expect.poll(isTold, POLL).toBe(true);
}

async function stop(service: Serving) {
  service.kill("SIGTERM");
  return await service.ended;
}

/** Say something on a bare connection, or nothing, and wait until it is over. */
async function knock(
  address: string,
  words: string | Buffer | null,
  leave: "close" | "reset",
): Promise<void> {
  const { hostname, port } = new URL(address);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await once(socket, "connect");
  socket.resume();
  if (words !== null) {
    socket.write(words);
    await new Promise((resolve) => {
      socket.once("data", resolve);
      socket.once("close", resolve);
      // A server may hope for more.
      socket.setTimeout(300, () => resolve(null));
    });
  }
  if (leave === "reset") socket.resetAndDestroy();
  else socket.end();
  socket.setTimeout(1_000, () => socket.destroy());
  await closed;
}

const STARTED_AND_STOPPED = [
  expect.stringMatching(/^INFO {2}WebSocket server started on port \d+$/),
  expect.stringMatching(/^INFO {2}HTTP and MCP server started on port \d+$/),
  "INFO  Server stopped",
];

const TLS_HELLO = Buffer.from("16030100a5010000a10303" + "ab".repeat(32) + "00", "hex");

async function scan(address: string): Promise<void> {
  for (const leave of ["close", "reset"] as const) {
    for (
      const words of [
        null,
        "\r\n\r\n",
        "\0\0\0\0garbage\xff\xfe",
        "SSH-2.0-Scanner\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "GET /\u0001\u001b[2J HTTP/9.9\r\n\r\n",
        `GET / HTTP/1.1\r\nHost: a\r\n${"X: y\r\n".repeat(3)}: broken\r\n\r\n`,
        "PUT / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        TLS_HELLO,
      ]
    ) await knock(address, words, leave);
  }
}

describe.each(["node", "deno", "bun"] as const)("the log on %s", { timeout: 120_000 }, (runtime) => {
  const runs = it.runIf(hasRuntime(runtime));

  runs("is lines where nothing else is said, one at connect and one at disconnect", async () => {
    const service = await start(runtime, []);
    await visit(service);
    const { complaints } = await stop(service);
    expect(complaints).toEqual([]);
    const clients = linesOf(service).filter((line) => line.includes("Client "));
    expect(clients).toHaveLength(2);
    expect(clients[0]).toMatch(
      /^\S+Z INFO {2}Client connected service=session-buddy connection=[\da-f-]{36} address=\S*127\.0\.0\.1$/,
    );
    expect(clients[1]).toMatch(
      / INFO {2}Client disconnected service=session-buddy connection=\S+ code=4000 reason="bye\\n2026.*" seconds=[\d.]+ received=1 sent=0 sent_bytes=\d+ folded=0 unsent=0$/,
    );
    for (const line of linesOf(service)) expect(line).not.toMatch(UNSAFE);
  });

  runs("is an object of JSON in each line as json, in which no client can add one", async () => {
    const service = await start(runtime, ["--log-format", "json"]);
    await visit(service);
    await stop(service);
    const records = linesOf(service).map((line) => JSON.parse(line));
    expect(records.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^WebSocket server started on port \d+$/),
      expect.stringMatching(/^HTTP and MCP server started on port \d+$/),
      "Client connected",
      "Client disconnected",
      "Server stopped",
    ]);
    for (const record of records) {
      expect(record).toMatchObject({
        level: "INFO",
        service: "session-buddy",
        logger: "mcp-realtime.session-buddy",
      });
      expect(Math.abs(Date.parse(record["@timestamp"]) - Date.now())).toBeLessThan(600_000);
    }
    expect(records[3]).toMatchObject({ code: 4000, reason: FORGED });
  });

  runs("is for people as pretty, without colours where there is no terminal", async () => {
    const service = await start(runtime, [], { SESSION_BUDDY_LOG_FORMAT: "pretty", NO_COLOR: "" });
    await visit(service);
    await stop(service);
    const lines = linesOf(service);
    expect(lines).toHaveLength(5);
    for (const line of lines) {
      expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}session-buddy \S/);
      expect(line).not.toMatch(UNSAFE);
    }
  });

  runs("holds what has the level, and nothing below", async () => {
    for (const level of ["debug", "info", "warn", "error"] as const) {
      const service = await start(runtime, ["--log-level", level]);
      const client = await FrameClient.open(service.websocket);
      const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
      await client.request("list_sessions", {}, { traceparent });
      // A page from elsewhere.
      await get(`${service.http}/api/status`, { origin: "https://evil.example" });
      await client.close();
      await stop(service);
      const found = new Set(linesOf(service).map((line) => /^\S+Z (\w+)/.exec(line)?.[1]));
      const expected = {
        debug: ["DEBUG", "INFO", "WARN"],
        info: ["INFO", "WARN"],
        warn: ["WARN"],
        error: [],
      };
      expect([...found].sort(), level).toEqual(expected[level]);
    }
  });

  runs("says nothing of who looks for open ports, above debug", async () => {
    const service = await start(runtime, []);
    await scan(service.websocket);
    await scan(service.http);
    expect((await get(`${service.http}/health`)).status).toBe(200);
    await stop(service);
    expect(linesOf(service).map((line) => line.replace(/^\S+ (.*) service=.*$/, "$1"))).toEqual(
      STARTED_AND_STOPPED,
    );
  });

  runs("says nothing of who looks for open ports that are encrypted, above debug", async () => {
    const authority = await makeAuthority();
    const { cert_file, key_file } = await files.store(runtime, await authority.issue());
    const service = await start(runtime, [], {
      SESSION_BUDDY_WS_TLS_ENABLED: "true",
      SESSION_BUDDY_WS_CERT_FILE: cert_file,
      SESSION_BUDDY_WS_KEY_FILE: key_file,
    });
    await scan(service.websocket);
    await scan(service.http);
    expect((await get(`${service.http}/health`, {}, { ca: authority.cert })).status).toBe(200);
    await stop(service);
    const lines = linesOf(service).map((line) => line.replace(/^\S+ (.*) service=.*$/, "$1"));
    expect(lines).toEqual(["INFO  TLS is on", ...STARTED_AND_STOPPED]);
  });
});
