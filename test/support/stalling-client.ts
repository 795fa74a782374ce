/**
 * A WebSocket client on a bare TCP connection that can stop reading, on every runtime that tests run on.
 *
 * @module
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Received } from "./frame-client.ts";
import { HANDSHAKE_HEADERS } from "./raw-socket.ts";

const HEAD_END = Buffer.from("\r\n\r\n");

export class StallingClient {
  /** Every frame that was read, oldest first. */
  readonly frames: Received[] = [];
  /** Resolves with the close code, 1006 where none came. */
  readonly closed: Promise<number>;
  readonly #net: Socket;
  #code = 1006;
  #chunks: Buffer[] = [];
  #length = 0;
  #needed = 2;
  #upgraded = false;

  private constructor(net: Socket) {
    this.#net = net;
    net.on("data", (chunk: Buffer) => this.#take(chunk));
    net.on("error", () => {});
    this.closed = new Promise((resolve) => net.on("close", () => resolve(this.#code)));
  }

  static async open(port: number): Promise<StallingClient> {
    const net = connect({ port, host: "127.0.0.1" });
    const client = new StallingClient(net);
    await once(net, "connect");
    const lines = Object.entries(HANDSHAKE_HEADERS).map(([name, value]) => `${name}: ${value}`);
    net.write(["GET / HTTP/1.1", ...lines, "", ""].join("\r\n"));
    return client;
  }

  send(frame: object): void {
    this.#write(1, Buffer.from(JSON.stringify(frame)));
  }

  /** Read no more, so that the network fills up. */
  stall(): void {
    this.#net.pause();
  }

  flow(): void {
    this.#net.resume();
  }

  end(): void {
    this.#net.destroy();
  }

  /** A frame with a mask of zeros, so that its payload is what it looks like. */
  #write(opcode: number, payload: Buffer): void {
    const { length } = payload;
    const size = length < 126 ? [0x80 | length] : [0xfe, length >> 8, length & 255];
    this.#net.write(Buffer.concat([Buffer.from([0x80 | opcode, ...size, 0, 0, 0, 0]), payload]));
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= this.#needed) {
      let bytes = Buffer.concat(this.#chunks);
      if (!this.#upgraded) {
        const end = bytes.indexOf(HEAD_END);
        if (end < 0) return;
        this.#upgraded = true;
        bytes = bytes.subarray(end + HEAD_END.length);
      }
      const rest = this.#read(bytes);
      this.#chunks = [rest];
      this.#length = rest.length;
    }
  }

  /** Take every whole frame; sets what the next one needs, and returns what is left. */
  #read(bytes: Buffer): Buffer {
    for (;;) {
      const short = (bytes[1] ?? 0) & 127;
      const head = short === 126 ? 4 : short === 127 ? 10 : 2;
      this.#needed = head;
      if (bytes.length < head) return bytes;
      const length = head === 4
        ? bytes.readUInt16BE(2)
        : head === 10
        ? Number(bytes.readBigUInt64BE(2))
        : short;
      this.#needed = head + length;
      if (bytes.length < this.#needed) return bytes;
      this.#handle(bytes[0]! & 15, bytes.subarray(head, this.#needed));
      bytes = bytes.subarray(this.#needed);
    }
  }

  #handle(opcode: number, payload: Buffer): void {
    if (opcode === 1) this.frames.push(JSON.parse(payload.toString()));
    else if (opcode === 9) this.#write(10, payload);
    else if (opcode === 8) {
      this.#code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      this.#write(8, payload);
      this.#net.end();
    }
  }
}
