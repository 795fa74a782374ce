/**
 * What a port grants to those who connect to it, at its edge, on each runtime: slow ones, large ones and many of them.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { buildOnce } from "../support/build-once.ts";
import { FrameClient } from "../support/frame-client.ts";
import { get, post } from "../support/http-client.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { makeScratch, type Scratch, serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const PATIENCE = { timeout: 30_000 };
const TEXT = 1;
const CONTINUATION = 0;
const COMPRESSED = 0x40;

let scratch: Scratch;
beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
}, 120_000);
afterAll(() => scratch?.remove());

const runtimes = (["node", "deno", "bun"] as const).filter((name) => hasRuntime(name));

async function serveWith(runtime: RuntimeName, name: string, limits: object): Promise<Serving> {
  const file = join(scratch.folder, `${runtime}-${name}.yaml`);
  await writeFile(file, JSON.stringify({ limits }));
  return await serve(runtime, {
    args: ["session-buddy", "--settings", file, ...scratch.flags(`${runtime}-${name}`)],
    lifetimeMs: 300_000,
  });
}

async function stop(program: Serving | undefined): Promise<void> {
  program?.kill("SIGTERM");
  expect(await program?.ended).toMatchObject({ code: 0, complaints: [] });
}

const portOf = (url: string) => Number(new URL(url).port);

/** How often a limit was reached. */
async function reached({ http }: Serving, limit: string): Promise<number> {
  const text: string = (await get(`${http}/metrics`)).body;
  return Number(new RegExp(`limit="${limit}"\\} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
}

describe.each(runtimes)("A port on %s", { timeout: 120_000 }, (runtime: RuntimeName) => {
  const isBun = runtime === "bun";
  const headBytes = isBun ? 16_384 : 4_096;
  let program: Serving;
  let port: number;
  const open: RawSocket[] = [];
  const drips: ReturnType<typeof setInterval>[] = [];

  async function raw(): Promise<RawSocket> {
    const peer = await RawSocket.open(port);
    open.push(peer);
    return peer;
  }

  /** Write a byte every now and then. */
  function drip(peer: RawSocket): void {
    drips.push(setInterval(() => peer.ended || peer.net.write("x"), 200));
  }

  beforeAll(async () => {
    program = await serveWith(runtime, "slow", {
      head_seconds: 3,
      request_seconds: 6,
      idle_seconds: 4,
      header_bytes: 4_096,
      fragments: 8,
      message_bytes: 65_536,
    });
    port = portOf(program.http);
  }, 60_000);
  afterEach(() => {
    for (const timer of drips.splice(0)) clearInterval(timer);
    for (const peer of open.splice(0)) peer.net.destroy();
  });
  afterAll(() => stop(program), 60_000);

  it("ends those who send nothing, or a head or a body bit by bit, and answers others meanwhile", async () => {
    const [silent, head, body, second] = [await raw(), await raw(), await raw(), await raw()];
    head.net.write("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ");
    drip(head);
    body.net.write(
      "POST /api/requests/get_status HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" +
        "Content-Length: 60000\r\n\r\n{",
    );
    drip(body);
    second.net.write(
      "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    );
    drip(second);
    let over = false;
    const ends = Promise.all([silent, head, body, second].map((peer) => peer.end()));
    void ends.then(() => over = true);
    let answered = 0;
    while (!over) {
      expect((await get(`${program.http}/health`)).status).toBe(200);
      answered++;
      // Often enough to notice, and without taking the machine for itself.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(answered).toBeGreaterThan(1);
    const [ofSilent, ofHead, ofBody, ofSecond] = await ends;
    expect(ofSecond).toMatch(/^HTTP\/1.1 200 /);
    if (isBun) return;
    for (const text of [ofSilent, ofHead, ofBody]) expect(text).toMatch(/^HTTP\/1.1 408 /);
    expect(ofSecond).toMatch(/HTTP\/1.1 408 /);
    expect(await reached(program, "head_seconds")).toBe(3);
    expect(await reached(program, "request_seconds")).toBe(1);
  });

  it("answers a head and a body that come in parts, and a next request on the same connection, until it has waited too long", async () => {
    const peer = await raw();
    peer.net.setNoDelay(true);
    for (
      const part of ["POST /api/requests/get_", "status HTTP/1.1\r\nHost: 127.0", ".0.1\r\nContent-Type: "]
    ) {
      peer.net.write(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    peer.net.write("application/json\r\nContent-Length: 2\r\n\r\n{");
    await new Promise((resolve) => setImmediate(resolve));
    peer.net.write("}");
    await peer.until('"service"');
    peer.net.write("GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    await peer.until("NOT_FOUND");
    const text = await peer.end();
    expect([...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status)).toEqual(["200", "404"]);
  });

  it("leaves an event stream open that is quiet for longer than a connection may be without a request", async () => {
    const initialize = {
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "0" } },
    };
    const accept = { accept: "application/json, text/event-stream" };
    const { headers } = await post(`${program.http}/mcp`, initialize, accept);
    const session = `Mcp-Session-Id: ${headers["mcp-session-id"]}`;
    const stream = await raw();
    stream.net.write(
      `GET /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n${session}\r\n\r\n`,
    );
    await stream.until("text/event-stream");
    // Its end is that of the time which is meant.
    const other = await raw();
    other.net.write("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    await other.end();
    expect(stream.ended).toBe(false);
  });

  it("counts a message that is too large, and ends its connection", async () => {
    const client = await FrameClient.open(program.websocket);
    client.send("x".repeat(65_537));
    expect([1009, 1006]).toContain((await client.closed).code);
    await vi.waitFor(async () => expect(await reached(program, "message_bytes")).toBe(1), PATIENCE);
  });

  it("takes a head of as many bytes as it may have, and answers 431 to a larger one", async () => {
    const head = (bytes: number) => {
      const start = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nX-Long: ";
      return `${start.padEnd(bytes - 4, "x")}\r\n\r\n`;
    };
    const [fits, tooLong] = [await raw(), await raw()];
    fits.net.write(head(headBytes - 100));
    expect(await fits.end()).toMatch(/^HTTP\/1.1 200 /);
    tooLong.net.write(head(headBytes + 1_000));
    expect(await tooLong.end()).toMatch(/^HTTP\/1.1 431 /);
    if (!isBun) expect(await reached(program, "header_bytes")).toBe(1);
  });

  /** A ping in so many parts. */
  function sendParts(peer: RawSocket, parts: number): void {
    const text = '{"type":"ping"}';
    for (let part = 0; part < parts; part++) {
      const isLast = part === parts - 1;
      peer.frame(part === 0 ? TEXT : CONTINUATION, isLast ? text.slice(part) : text[part]!, isLast);
    }
  }

  async function upgraded(): Promise<RawSocket> {
    const peer = await raw();
    peer.request("/ws");
    await peer.until("connection_id");
    return peer;
  }

  it("takes a message in as many fragments as it may have; one more ends its connection with 1008", async () => {
    const peer = await upgraded();
    sendParts(peer, 8);
    await peer.until('"pong"');
    const other = await upgraded();
    sendParts(other, 9);
    if (isBun) await other.until('"pong"');
    else {
      expect(await other.end()).toContain("\x88\x02\x03\xf0");
      expect(await reached(program, "fragments")).toBe(1);
    }
  });

  it("keeps little for fragments without end, empty ones and full ones", async () => {
    const memory = () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.pid}/status`, "utf8"))?.[1] ?? 0) / 1_024;
    const before = process.platform === "linux" ? memory() : 0;
    for (const payload of ["", "x", "x".repeat(1_000)]) {
      const peer = await upgraded();
      const over = peer.end();
      peer.frame(TEXT, payload, false);
      const part = Buffer.concat([
        Buffer.from(
          payload.length < 126
            ? [0, 0x80 | payload.length]
            : [0, 0xfe, payload.length >> 8, payload.length & 255],
        ),
        Buffer.alloc(4),
        Buffer.from(payload),
      ]);
      const many = Buffer.concat(new Array<Buffer>(2_000).fill(part));
      for (let i = 0; i < 50 && !peer.ended; i++) {
        if (peer.net.write(many)) continue;
        const drained = once(peer.net, "drain").catch(() => {});
        await Promise.race([drained, over]);
      }
      // On Bun only what they hold counts, and nothing is nothing.
      if (!isBun || payload !== "") await over;
      else {
        peer.frame(CONTINUATION, '{"type":"ping"}', true);
        await peer.until('"pong"');
      }
    }
    if (process.platform === "linux") expect(memory() - before).toBeLessThan(150);
  });

  it("negotiates no compression, and ends a connection that sends a compressed frame all the same", async () => {
    const peer = await raw();
    peer.request("/ws", { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" });
    expect((await peer.until("connection_id")).toLowerCase()).not.toContain("sec-websocket-extensions");
    peer.frame(TEXT | COMPRESSED, Buffer.from([0xab, 0x56, 0x2a, 0xa9, 0x2c, 0x48, 0x55, 0xb2, 0x52]));
    await peer.end();
    expect((await get(`${program.http}/health`)).status).toBe(200);
  });
});

describe.each(runtimes)("Clients of one address on %s", { timeout: 120_000 }, (runtime: RuntimeName) => {
  let program: Serving;
  const open: Socket[] = [];
  const clients: FrameClient[] = [];

  beforeAll(async () => {
    program = await serveWith(runtime, "many", {
      loopback_exempt: false,
      connections_per_address: 2,
      tcp_connections: 10,
      tcp_connections_per_address: 6,
      http_rate: 1,
      http_burst: 20,
    });
  }, 60_000);
  afterEach(() => {
    for (const client of clients.splice(0)) client.ws.terminate();
    for (const socket of open.splice(0)) socket.destroy();
  });
  afterAll(() => stop(program), 60_000);

  async function connected(from: string): Promise<FrameClient> {
    const client = await FrameClient.open(program.websocket, { localAddress: from });
    clients.push(client);
    return client;
  }

  it("get as many WebSockets as there may be, and one more is closed with 1013", async () => {
    const first = await connected("127.0.0.2");
    expect(await first.request("get_status")).toMatchObject({ type: "response" });
    await connected("127.0.0.2");
    expect(await (await connected("127.0.0.2")).closed)
      .toEqual({ code: 1013, reason: "Too many connections from this address" });
    expect(await (await connected("127.0.0.3")).request("get_status")).toMatchObject({ type: "response" });
    await first.close();
    await vi.waitFor(async () => {
      expect(await (await connected("127.0.0.2")).request("get_status")).toMatchObject({ type: "response" });
    }, PATIENCE);
  });

  it("get as many answers as the rate allows, then 429 with Retry-After", async () => {
    const statuses: number[] = [];
    let refused: Response | undefined;
    // More than a burst and what comes in a minute.
    for (let i = 0; i < 100 && !refused; i++) {
      const answer = await fetch(`${program.http}/api/status`);
      statuses.push(answer.status);
      if (answer.status !== 200) refused = answer;
      else await answer.text();
    }
    expect(statuses.length).toBeGreaterThan(20);
    expect(statuses.at(-1)).toBe(429);
    expect(refused?.headers.get("retry-after")).toBe("1");
    expect(await refused?.json()).toMatchObject({ error_code: "RATE_LIMIT_EXCEEDED" });
    expect((await fetch(`${program.http}/health`)).status).toBe(200);
  });

  /** Connect, and tell whether the server keeps it: an answer, or the end. */
  async function isTaken(from: string): Promise<boolean> {
    const socket = connect({ port: portOf(program.websocket), host: "127.0.0.1", localAddress: from });
    open.push(socket);
    socket.on("error", () => {});
    const closed = new Promise<boolean>((resolve) => socket.once("close", () => resolve(false)));
    socket.write("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    const answered = new Promise<boolean>((resolve) => socket.once("data", () => resolve(true)));
    return await Promise.race([closed, answered]);
  }

  // Bun tells of a connection when its first request is there, not before.
  it.skipIf(runtime === "bun")(
    "get as many TCP connections as there may be, of one address and in all",
    async () => {
      const taken = async (from: string, count: number) => {
        const each: boolean[] = [];
        for (let i = 0; i < count; i++) each.push(await isTaken(from));
        return each.filter((is) => is).length;
      };
      expect(await taken("127.0.0.4", 6)).toBe(6);
      expect(await isTaken("127.0.0.4")).toBe(false);
      expect(await taken("127.0.0.5", 4)).toBe(4);
      expect(await isTaken("127.0.0.6")).toBe(false);
      open[0]!.destroy();
      await vi.waitFor(async () => expect(await isTaken("127.0.0.6")).toBe(true), PATIENCE);
      for (const socket of open.splice(0)) socket.destroy();
      await vi.waitFor(async () => expect(await isTaken("127.0.0.4")).toBe(true), PATIENCE);
    },
  );
});
