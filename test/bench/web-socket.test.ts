import { Buffer } from "node:buffer";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { RawWebSocket } from "../../bench/load/web-socket.ts";
import { wireFrame } from "../fuzz/wire-frames.ts";

const HEAD = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

/** A server that says these bytes in pieces of so many, each when the one before has left. */
async function saying(bytes: Buffer, size: number): Promise<number> {
  const server = createServer((socket: Socket) => {
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.once("data", async () => {
      for (let at = 0; at < bytes.length; at += size) {
        await new Promise((resolve) => socket.write(bytes.subarray(at, at + size), resolve));
      }
    });
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function heard(port: number, count: number): Promise<string[]> {
  const texts: string[] = [];
  return new Promise((resolve, reject) => {
    new RawWebSocket(port, "/", {
      open() {},
      text(bytes, from, to, socket) {
        texts.push(bytes.toString("utf8", from, to));
        if (texts.length < count) return;
        socket.close();
        resolve(texts);
      },
      end: (reason) => reject(new Error(reason)),
    });
  });
}

test.each([1, 2, 3, 7, 125, 1_000_000])(
  "RawWebSocket reads frames that come in pieces of %i bytes",
  async (size) => {
    const long = size < 7 ? [] : [65_535, 65_536, 200_000];
    const texts = [
      "",
      "a",
      "é".repeat(62),
      "b".repeat(126),
      "c".repeat(300),
      ...long.map((count) => "d".repeat(count)),
      "z",
    ];
    const frames = texts.map((text) => wireFrame({ opcode: 1, payload: Buffer.from(text), mask: null }));
    const bytes = Buffer.concat([Buffer.from(HEAD), ...frames]);
    expect(await heard(await saying(bytes, size), texts.length)).toEqual(texts);
  },
);

test("RawWebSocket says why it was refused, or closed", async () => {
  const refused = Buffer.from("HTTP/1.1 403 Forbidden\r\n\r\n");
  await expect(heard(await saying(refused, 1_000), 1)).rejects.toThrow("HTTP/1.1 403 Forbidden");
});
