/**
 * Frames and requests that are none, or too much: whoever sends them is refused, and nothing else comes of it.
 *
 * @module
 */
import { describe, expect, it } from "vitest";
import { deflateRawSync, gzipSync } from "node:zlib";
import { Attacker, each } from "./attacker.ts";
import { BINARY, CLOSE, CONTINUATION, frame, Peer, PING, PONG, TEXT } from "./peer.ts";
import type { Service, Target } from "./target.ts";

const AT_ONCE = 8;
const MIB = 1_048_576;

/** Bytes without any meaning, the same every time. */
function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0, state = 7; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}

/** What ends a connection. Each comes behind a frame that is right. */
function brokenFrames(): Record<string, Uint8Array[]> {
  const bomb = deflateRawSync(Buffer.alloc(50 * MIB));
  const invalid = new Uint8Array([0x7b, 0xc0, 0xaf, 0xed, 0xa0, 0x80, 0x7d]);
  const part = (payload: string, opcode = CONTINUATION) => frame({ opcode, payload, final: false });
  const cases: Record<string, Uint8Array[]> = {
    "a length of 2^63 - 1": [frame({ opcode: TEXT, length: 2n ** 63n - 1n, payload: "x".repeat(1_000) })],
    "a length of 2^64 - 1": [frame({ opcode: BINARY, length: 2n ** 64n - 1n, payload: "x".repeat(1_000) })],
    "a length of 2^32": [frame({ opcode: TEXT, length: 2n ** 32n, payload: "x".repeat(1_000) })],
    "one byte too many": [frame({ opcode: TEXT, payload: "x".repeat(MIB + 1) })],
    "many bytes too many": [frame({ opcode: BINARY, payload: new Uint8Array(8 * MIB) })],
    "fragments without end": [
      part("{", TEXT),
      ...Array.from({ length: 1_200 }, () => part("x".repeat(1_000))),
    ],
    "a compressed bomb": [frame({ opcode: TEXT, reserved: 4, payload: bomb })],
    "a compressed bomb in parts": [
      frame({ opcode: TEXT, reserved: 4, final: false, payload: bomb.subarray(0, 100) }),
      frame({ opcode: CONTINUATION, payload: bomb.subarray(100) }),
    ],
    "the second reserved bit": [frame({ opcode: TEXT, reserved: 2, payload: "{}" })],
    "the third reserved bit": [frame({ opcode: TEXT, reserved: 1, payload: "{}" })],
    "no mask": [frame({ opcode: TEXT, masked: false, payload: '{"type":"ping"}' })],
    "a ping that is too long": [frame({ opcode: PING, payload: "x".repeat(126) })],
    "a pong that is too long": [frame({ opcode: PONG, payload: "x".repeat(70_000) })],
    "a close that is too long": [frame({ opcode: CLOSE, payload: "\x03\xe8".padEnd(200, "x") })],
    "a ping in parts": [frame({ opcode: PING, final: false, payload: "x" }), part("x")],
    "a message within another": [part("{", TEXT), frame({ opcode: TEXT, payload: "{}" })],
    "a continuation of nothing": [frame({ opcode: CONTINUATION, payload: "{}" })],
    "text that is no UTF-8": [frame({ opcode: TEXT, payload: invalid })],
    "parts that are no UTF-8": [
      frame({ opcode: TEXT, payload: invalid.subarray(0, 3), final: false }),
      frame({ opcode: CONTINUATION, payload: invalid.subarray(3) }),
    ],
    "a close of one byte": [frame({ opcode: CLOSE, payload: "x" })],
    "a close with code 0": [frame({ opcode: CLOSE, payload: new Uint8Array([0, 0]) })],
    "a close with code 1005": [frame({ opcode: CLOSE, payload: new Uint8Array([3, 0xed]) })],
    "a close with a reason that is no UTF-8": [
      frame({ opcode: CLOSE, payload: new Uint8Array([3, 0xe8, 0xc0, 0xaf]) }),
    ],
    "noise": [new Uint8Array([0xff]), noise(65_536)],
    "HTTP": [Buffer.from("POST /api/publish HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}")],
  };
  for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
    cases[`opcode ${opcode}`] = [frame({ opcode, payload: "{}" })];
  }
  return cases;
}

/** What a connection survives: frames that are right around something that is not. */
function hostileTexts(): Record<string, string | Uint8Array> {
  return {
    "arrays without end": "[".repeat(900_000),
    "arrays within arrays": `${"[".repeat(400_000)}${"]".repeat(400_000)}`,
    "objects within objects": `{"type":"ping","data":${'{"a":'.repeat(150_000)}1${"}".repeat(150_001)}`,
    "a number without end": `{"type":"ping","data":{"n":${"9".repeat(900_000)}}}`,
    "an exponent without end": `{"type":"ping","data":{"n":1e${"9".repeat(900_000)}}}`,
    "a text without end": `{"type":"ping","data":{"s":"${"\\u0041".repeat(150_000)}`,
    "escapes that are none": `{"type":"ping","event":"${"\\x".repeat(400_000)}"}`,
    "blanks": `${" ".repeat(900_000)}x`,
    "NULs": "\u0000".repeat(900_000),
    "bytes": noise(900_000),
    "nothing": "",
  };
}

/** Requests that are none, as they stand on the wire. */
function brokenRequests(token: string): Record<string, string | Uint8Array> {
  const head = `Host: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
  const post = (more: string, body: string) =>
    `POST /api/requests/get_status HTTP/1.1\r\n${head}${more}\r\n${body}`;
  const second = `GET /api/status HTTP/1.1\r\n${head}\r\n`;
  return {
    "two lengths": post("Content-Length: 2\r\nContent-Length: 3\r\n", "{} "),
    "a length and chunks": post(
      `Content-Length: ${5 + second.length}\r\nTransfer-Encoding: chunked\r\n`,
      `0\r\n\r\n${second}`,
    ),
    "a negative length": post("Content-Length: -1\r\n", "{}"),
    "a length with a sign": post("Content-Length: +2\r\n", "{}"),
    "a length that is too long": post(`Content-Length: ${"9".repeat(30)}\r\n`, "{}"),
    "an encoding that nobody knows": post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
    "chunks twice": post("Transfer-Encoding: chunked, chunked\r\n", `0\r\n\r\n${second}`),
    "a chunk that is too long": post("Transfer-Encoding: chunked\r\n", "ffffffffffffffffff\r\n{}"),
    "a chunk of nonsense": post("Transfer-Encoding: chunked\r\n", "xyz\r\n{}\r\n0\r\n\r\n"),
    "a colon with a blank before it": post("Content-Length : 2\r\n", "{}"),
    "a header over two lines": post("X-Long: a\r\n b\r\nContent-Length: 2\r\n", "{}"),
    "a head that is too long": `GET /api/status HTTP/1.1\r\n${head}X-Long: ${"x".repeat(200_000)}\r\n\r\n`,
    "too many headers": `GET /api/status HTTP/1.1\r\n${head}${"X-Many: x\r\n".repeat(20_000)}\r\n`,
    "an address that is too long": `GET /${"x".repeat(200_000)} HTTP/1.1\r\n${head}\r\n`,
    "another version": `GET /api/status HTTP/9.9\r\n${head}\r\n`,
    "another protocol": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": new Uint8Array([
      0x16,
      0x03,
      0x01,
      0x02,
      0x00,
      0x01,
      0x00,
      0x01,
      0xfc,
      0x03,
      0x03,
      ...new Uint8Array(200),
    ]),
    "a NUL in a header": `GET /api/status HTTP/1.1\r\n${head}X-Nul: a\u0000b\r\n\r\n`,
    "no host": "GET /api/status HTTP/1.1\r\n\r\n",
    "two hosts": `GET /api/status HTTP/1.1\r\nHost: evil.test\r\n${head}\r\n`,
    "another host in the address":
      `GET http://evil.test/api/status HTTP/1.1\r\nHost: evil.test\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    "CONNECT": `CONNECT 127.0.0.1:22 HTTP/1.1\r\n${head}\r\n`,
    "noise": noise(65_536),
  };
}

export function frameAttacks(target: () => Target): void {
  describe("frames", () => {
    it("that are none end their connection, whoever sends them", async () => {
      const service = target().service("session-buddy");
      const token = await target().token("reader", ["session-buddy:read"]);
      const failures: string[] = [];
      const offered = { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits=8" };
      const cases = Object.entries(brokenFrames());
      await each([...cases.entries()], AT_ONCE, async ([index, [what, frames]]) => {
        for (const headers of [{ Authorization: `Bearer ${token}`, ...offered }, offered]) {
          const peer = await Peer.upgraded(service.websocket, `127.0.60.${index + 1}`, headers);
          if (/sec-websocket-extensions/i.test(peer.text)) {
            failures.push(`${what}: compression was agreed to`);
          }
          if ("Authorization" in headers) {
            peer.send(frame({ opcode: TEXT, payload: '{"type":"ping"}' }));
            await peer.has("pong");
          }
          for (const bytes of frames) peer.send(bytes);
          await peer.closed;
          const { closeCode } = peer;
          if (![1000, 1002, 1003, 1006, 1007, 1008, 1009, 1011].includes(closeCode)) {
            failures.push(`${what}: closed with ${closeCode}`);
          }
        }
      });
      expect(failures).toEqual([]);
    });

    it("that hold anything but what they should are answered, and the connection goes on", async () => {
      const service = target().service("session-buddy");
      const reader = new Attacker("127.0.61.1", await target().token("reader", ["session-buddy:read"]));
      const client = await reader.connect(service.websocket);
      for (const [what, text] of Object.entries(hostileTexts())) {
        const before = client.frames.length;
        client.send(text);
        const answer = await client.request("get_status", {});
        expect(answer.type, what).toBe("response");
        const codes = client.frames.slice(before).flatMap(({ error_code }) => error_code ?? []);
        expect(codes.filter((code) => code !== "DECODE_ERROR"), what).toEqual([]);
      }
      await client.close();
    });

    // These two wait for ends, and may do so together.
    it.concurrent("as requests, broken on the wire, are refused and never become two", async () => {
      const failures: string[] = [];
      const service = target().service("mahavishnu");
      const token = await target().token("reader", ["mahavishnu:read"]);
      const cases = Object.entries(brokenRequests(token));
      // All at once, as some ends are waited for.
      await each([...cases.entries()], cases.length, async ([index, [what, bytes]]) => {
        await each([service.http, service.websocket], 2, async (url) => {
          const peer = await Peer.open(url, `127.0.62.${index + 1}`);
          peer.send(bytes);
          await peer.closed;
          const statuses = [...peer.text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));
          const isRefused = statuses.length <= 1 &&
            statuses.every((status) => status >= 400 && status !== 500);
          if (!isRefused) failures.push(`${what}: ${statuses.join(", ")}`);
        });
      });
      expect(failures).toEqual([]);
    });

    it.concurrent("as bodies that unpack to something large, or do not end, are refused at once", async () => {
      const service = target().service("crackerjack");
      const attacker = new Attacker("127.0.63.1", await target().token("reader", ["crackerjack:read"]));
      const paths = ["/api/requests/get_status", "/api/publish", "/mcp"];
      await each(paths, paths.length, (path) => bodiesAreRefused(service, attacker, path));
    });
  });
}

async function bodiesAreRefused({ http }: Service, attacker: Attacker, path: string): Promise<void> {
  const bomb = gzipSync(Buffer.alloc(50 * MIB, " "));
  for (const encoding of ["gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip"]) {
    const { status } = await attacker.http(`${http}${path}`, {
      method: "POST",
      headers: { "content-encoding": encoding },
      body: bomb,
    });
    expect(status, `${path} ${encoding}`).toBe(400);
  }
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${attacker.token}\r\n` +
    "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n";
  // The end is waited for: whoever still sends is listened to for some seconds, so as to hear the answer.
  await each(["Transfer-Encoding: chunked", `Content-Length: ${2 ** 40}`], 2, async (announced) => {
    const peer = await Peer.open(http, attacker.address);
    const piece = "x".repeat(65_536);
    peer.send(`${head}${announced}\r\n\r\n`);
    for (let sent = 0; sent < 64 && !peer.over; sent++) {
      peer.send(announced.startsWith("T") ? `10000\r\n${piece}\r\n` : piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await peer.closed;
    expect(peer.text, `${path} ${announced}`).toMatch(/^HTTP\/1\.1 413 |^$/);
  });
}
