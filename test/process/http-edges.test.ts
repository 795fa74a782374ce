/**
 * What a hostile or clumsy HTTP client does to the ports of a service, on each runtime.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { buildOnce } from "../support/build-once.ts";
import { get, post } from "../support/http-client.ts";
import { HANDSHAKE_HEADERS, RawSocket } from "../support/raw-socket.ts";
import { makeScratch, type Scratch, serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const MAX_BODY_BYTES = 1_048_576;
const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "0" } },
};
const ACCEPT = { accept: "application/json, text/event-stream" };

let scratch: Scratch;
beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
}, 120_000);
afterAll(() => scratch?.remove());

const runtimes = (["node", "deno", "bun"] as const).filter((name) => hasRuntime(name));

/** What one request looks like on the wire. */
function wire(method: string, path: string, headers: Record<string, string | undefined>, body = ""): string {
  const length = body === "" ? {} : { "Content-Length": String(body.length) };
  const all = Object.entries({ Host: "127.0.0.1", ...length, ...headers });
  const lines = all.flatMap(([name, value]) => value === undefined ? [] : [`${name}: ${value}`]);
  return [`${method} ${path} HTTP/1.1`, ...lines, "", body].join("\r\n");
}

const ask = (name: string, body = "{}") =>
  wire("POST", `/api/requests/${name}`, { "Content-Type": "application/json" }, body);

const statuses = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));

describe.each(runtimes)("HTTP on %s", { timeout: 60_000 }, (runtime: RuntimeName) => {
  let program: Serving;
  let httpPort: number;
  let websocketPort: number;
  const memory = () =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.pid}/status`, "utf8"))?.[1]) / 1024;
  const open = (port = httpPort) => RawSocket.open(port);

  /** The whole answer of a request that ends its connection. */
  async function answerTo(bytes: string | Buffer, port = httpPort): Promise<string> {
    const peer = await open(port);
    peer.net.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    const answer = await peer.until("\r\n\r\n").catch(() => peer.text);
    peer.reset();
    return answer;
  }

  beforeAll(async () => {
    program = await serve(runtime, { args: ["session-buddy", ...scratch.flags(`edges-${runtime}`)] });
    httpPort = Number(new URL(program.http).port);
    websocketPort = Number(new URL(program.websocket).port);
  }, 60_000);
  afterAll(async () => {
    program?.kill("SIGTERM");
    const ended = await program?.ended;
    expect(ended).toMatchObject({ code: 0, complaints: [] });
  }, 60_000);

  it("answers requests that come all at once, each and in order", async () => {
    const count = 500;
    const peer = await open();
    const body = JSON.stringify({ padding: "x".repeat(1_000) });
    for (let i = 0; i < count; i++) peer.net.write(ask(`r${i}`, body));
    const text = await peer.until(`Unknown request event: r${count - 1}`);
    const asked = [...text.matchAll(/Unknown request event: r(\d+)/g)].map(([, i]) => Number(i));
    expect(asked).toEqual(Array.from({ length: count }, (_, i) => i));
    peer.reset();
  });

  // Bun writes no more answers than fit, and closes.
  it.runIf(process.platform === "linux" && runtime !== "bun")(
    "keeps few answers for clients that do not read them",
    async () => {
      const context = { text: "x".repeat(250_000) };
      await post(`${program.http}/api/requests/start_session`, { session_id: "big", project: "p", context });
      const before = memory();
      const peers = await Promise.all(Array.from({ length: 20 }, () => open()));
      for (const { net } of peers) {
        net.pause();
        net.write(ask("get_session", '{"session_id":"big"}').repeat(300));
      }
      // Whoever comes later is answered after what has arrived before.
      for (let i = 0; i < 20; i++) expect((await get(`${program.http}/health`)).status).toBe(200);
      // All answers together would be 1,500 MB.
      expect(memory() - before).toBeLessThan(600);
      peers[0]!.net.resume();
      await vi.waitFor(() => expect(statuses(peers[0]!.text).length).toBeGreaterThan(20), {
        timeout: 30_000,
      });
      for (const peer of peers) peer.reset();
    },
  );

  it("lets go of streams whose clients are gone, however early they went", async () => {
    // Two more than there may be sessions with a stream.
    for (let i = 0; i < 258; i++) {
      const answer = await post(`${program.http}/mcp`, INITIALIZE, ACCEPT);
      expect(answer.status).toBe(200);
      const peer = await open();
      const session = String(answer.headers["mcp-session-id"]);
      peer.net.write(wire("GET", "/mcp", { Accept: "text/event-stream", "Mcp-Session-Id": session }));
      if (i % 3 === 0) await peer.until("200");
      if (i % 2 === 0) peer.reset();
      else peer.net.destroy();
    }
    await vi.waitFor(async () => {
      expect((await post(`${program.http}/mcp`, INITIALIZE, ACCEPT)).status).toBe(200);
    }, { timeout: 20_000 });
  });

  // Bun closes a connection with its event stream.
  it.runIf(runtime !== "bun")(
    "answers a request that waits behind an event stream when that has ended",
    async () => {
      const { headers } = await post(`${program.http}/mcp`, INITIALIZE, ACCEPT);
      const session = { "Mcp-Session-Id": String(headers["mcp-session-id"]) };
      const peer = await open();
      peer.net.write(wire("GET", "/mcp", { Accept: "text/event-stream", ...session }) + ask("behind"));
      await peer.until(": ok");
      expect((await fetch(`${program.http}/mcp`, { method: "DELETE", headers: session })).status).toBe(200);
      expect(statuses(await peer.until("Unknown request event: behind"))).toEqual([200, 404]);
      peer.reset();
    },
  );

  it.each([
    ["without Connection: Upgrade", { Connection: undefined }, 400],
    ["with Connection: keep-alive", { Connection: "keep-alive" }, 400],
    ["without a Host", { Host: undefined }, 400],
    ["with a user in its Host", { Host: "localhost@evil.example" }, /^HTTP\/1\.1 40[03] /],
    ["with a path in its Host", { Host: "localhost/x" }, /^HTTP\/1\.1 40[03] /],
    ["with an empty Origin", { Origin: "" }, 403],
    ["that offers keep-alive too", { Connection: "keep-alive, Upgrade" }, 101],
  ])("answers an upgrade %s as it should", async (_what, headers, expected) => {
    const all = { ...HANDSHAKE_HEADERS, ...headers };
    for (const [port, path] of [[httpPort, "/ws"], [websocketPort, "/"]] as const) {
      const answer = await answerTo(wire("GET", path, all), port);
      if (expected instanceof RegExp) expect(answer).toMatch(expected);
      else expect(statuses(answer)).toEqual([expected]);
    }
  });

  it("ignores an upgrade to something that is no WebSocket, and reads on", async () => {
    const h2c = {
      Connection: "Upgrade, HTTP2-Settings",
      Upgrade: "h2c",
      "HTTP2-Settings": "AAMAAABkAAQAAP__",
    };
    for (const port of [httpPort, websocketPort]) {
      const peer = await open(port);
      peer.net.write(wire("GET", "/health", h2c));
      expect(statuses(await peer.until('"status"'))).toEqual([200]);
      peer.net.write(wire("GET", "/nothing", {}));
      await vi.waitFor(() => expect(statuses(peer.text)).toHaveLength(2), { timeout: 20_000 });
      peer.reset();
    }
    const posted = wire(
      "POST",
      "/api/requests/get_status",
      { ...h2c, "Content-Type": "application/json" },
      "{}",
    );
    expect(statuses(await answerTo(posted))).toEqual([200]);
  });

  it("never answers a request inside of a WebSocket", async () => {
    const peer = await open();
    peer.net.write(ask("before") + wire("GET", "/ws", HANDSHAKE_HEADERS));
    const closed = peer.end();
    const text = await Promise.race([closed, peer.until("connection_id").catch(() => peer.text)]);
    const upgraded = text.indexOf("HTTP/1.1 101");
    expect(text.indexOf("HTTP/1.1 404", Math.max(upgraded, 0))).toBe(
      upgraded < 0 ? text.indexOf("HTTP/1.1 404") : -1,
    );
    peer.reset();
    expect((await get(`${program.http}/health`)).status).toBe(200);
  });

  it("answers HTTP/1.0 without a Host with 400", async () => {
    expect(await answerTo("GET /health HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.[01] 400 /);
  });

  it.each(["/mcp", "/api/requests/get_status"])(
    "POST %s: who sends too much gets 413 and the end",
    async (path) => {
      for (const size of [MAX_BODY_BYTES + 1, 10 * MAX_BODY_BYTES]) {
        for (const chunked of [false, true]) {
          const length = chunked ? { "Transfer-Encoding": "chunked" } : { "Content-Length": String(size) };
          const peer = await open();
          peer.net.write(wire("POST", path, { "Content-Type": "application/json", ...ACCEPT, ...length }));
          if (chunked) peer.net.write(`${size.toString(16)}\r\n`);
          peer.net.write(Buffer.alloc(size, " "));
          if (chunked) peer.net.write("\r\n0\r\n\r\n");
          expect(statuses(await peer.end()), `${size} ${chunked}`).toEqual([413]);
        }
      }
    },
  );

  it("says nothing loud of a client that leaves in the middle of its upload", async () => {
    for (const path of ["/mcp", "/api/requests/get_status"]) {
      for (const end of ["reset", "destroy"]) {
        const peer = await open();
        const sized = { "Content-Type": "application/json", "Content-Length": "500", Expect: "100-continue" };
        peer.net.write(wire("POST", path, sized) + "some of it");
        if (runtime !== "bun") await peer.until("100 Continue");
        if (end === "reset") peer.reset();
        else peer.net.destroy();
        await once(peer.net, "close");
      }
    }
    expect((await get(`${program.http}/health`)).status).toBe(200);
    expect(program.stderr()).not.toMatch(/ ERROR |^\s+at /m);
  });

  it("says nothing loud of a client that leaves in the middle of a blob", async () => {
    const dhruva = await serve(runtime, { args: ["dhruva", ...scratch.flags(`blobs-${runtime}`)] });
    try {
      for (let i = 0; i < 3; i++) {
        const peer = await open(Number(new URL(dhruva.http).port));
        const sized = { "Content-Type": "application/octet-stream", "Content-Length": "500" };
        peer.net.write(wire("GET", "/health", {}));
        await peer.until('"status"');
        peer.net.write(wire("PUT", `/api/blobs/${"a".repeat(64)}`, sized) + "some of it");
        peer.net.end();
        await peer.end();
      }
    } finally {
      dhruva.kill("SIGTERM");
    }
    const { complaints, code } = await dhruva.ended;
    expect({ complaints, code }).toEqual({ complaints: [], code: 0 });
  });
});
