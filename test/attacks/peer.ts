/**
 * The attackers' end of a TCP connection, and frames as no library would write them.
 *
 * @module
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { HANDSHAKE_HEADERS } from "../support/raw-socket.ts";

/** Of what comes, the beginning is kept. */
const KEPT_BYTES = 65_536;

export class Peer {
  readonly net: Socket;
  /** Resolves when the connection is over. */
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  #over = false;

  private constructor(net: Socket) {
    this.net = net;
    net.on("data", (chunk: Buffer) => {
      if (this.#received.length < KEPT_BYTES) this.#received = Buffer.concat([this.#received, chunk]);
    });
    net.on("error", () => {});
    this.closed = new Promise((resolve) =>
      net.once("close", () => {
        this.#over = true;
        resolve();
      })
    );
  }

  /** Where the server cuts it at once, it is over already. */
  static async open(url: string, localAddress: string): Promise<Peer> {
    const net = connect({ port: Number(new URL(url).port), host: "127.0.0.1", localAddress });
    const peer = new Peer(net);
    await Promise.race([once(net, "connect").catch(() => {}), peer.closed]);
    return peer;
  }

  /** A WebSocket, with nothing sent yet. */
  static async upgraded(url: string, localAddress: string, more: Record<string, string> = {}): Promise<Peer> {
    const peer = await Peer.open(url, localAddress);
    const lines = Object.entries({ ...HANDSHAKE_HEADERS, ...more }).map(([name, value]) =>
      `${name}: ${value}\r\n`
    );
    peer.send(`GET / HTTP/1.1\r\n${lines.join("")}\r\n`);
    await peer.has("\r\n\r\n");
    return peer;
  }

  get over(): boolean {
    return this.#over;
  }

  get received(): Buffer {
    return this.#received;
  }

  get text(): string {
    return this.#received.toString("latin1");
  }

  send(bytes: string | Uint8Array): void {
    if (!this.#over) this.net.write(bytes);
  }

  /** Resolves when this has come, or when nothing can come any more. */
  async has(text: string): Promise<void> {
    while (!this.text.includes(text) && !this.#over) {
      await Promise.race([once(this.net, "data").catch(() => {}), this.closed]);
    }
  }

  /** Resolves when a close frame has come, or the end without one. */
  async closing(): Promise<void> {
    while (this.closeCode === 1006 && !this.#over) {
      await Promise.race([once(this.net, "data").catch(() => {}), this.closed]);
    }
  }

  /** The code of the close frame that came; 1006 where none did. */
  get closeCode(): number {
    const frames = this.#received.subarray(this.text.indexOf("\r\n\r\n") + 4);
    for (let at = 0; at + 4 <= frames.length;) {
      const length = frames[at + 1]! & 127;
      const head = length === 126 ? 4 : length === 127 ? 10 : 2;
      if ((frames[at]! & 15) === 8) return frames.readUInt16BE(at + head);
      at += head + (length === 126 ? frames.readUInt16BE(at + 2) : length);
    }
    return 1006;
  }

  destroy(): void {
    this.net.destroy();
  }
}

export interface FrameParts {
  readonly opcode: number;
  readonly payload?: string | Uint8Array;
  readonly final?: boolean;
  /** The three bits that extensions use. */
  readonly reserved?: number;
  readonly masked?: boolean;
  /** What the frame says its length is. Default: what it is. */
  readonly length?: bigint;
}

export const TEXT = 1;
export const BINARY = 2;
export const CONTINUATION = 0;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/** A frame, with a mask of zeros. */
export function frame(parts: FrameParts): Buffer {
  const { opcode, payload = "", final = true, reserved = 0, masked = true } = parts;
  const bytes = Buffer.from(payload);
  const length = parts.length ?? BigInt(bytes.length);
  const mask = masked ? 0x80 : 0;
  const first = (final ? 0x80 : 0) | (reserved << 4) | opcode;
  let head: Buffer;
  if (length < 126n) head = Buffer.from([first, mask | Number(length)]);
  else if (length < 65_536n) {
    head = Buffer.from([first, mask | 126, 0, 0]);
    head.writeUInt16BE(Number(length), 2);
  } else {
    head = Buffer.from([first, mask | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
    head.writeBigUInt64BE(length, 2);
  }
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), bytes]);
}
