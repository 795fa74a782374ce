/**
 * A WebSocket client that does as little as it can, so that it measures a server and not itself: all connections read
 * into the same buffer, frames are found by their headers, and nobody parses what is only counted.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";

const TEXT = 0x81;
const PING = 0x89;
const PONG = 0x8a;
/** Two bytes, up to eight of length. Servers do not mask. */
const LONGEST_HEADER = 10;

const shared = Buffer.allocUnsafe(1 << 20);

export interface Handlers {
  /** The handshake is done. */
  open(socket: RawWebSocket): void;
  /** A text frame: bytes `from` to `to`, to be read before this returns. */
  text(bytes: Buffer, from: number, to: number, socket: RawWebSocket): void;
  /** The connection has ended, with what is known of why. */
  end(reason: string): void;
}

export class RawWebSocket {
  readonly #socket: Socket;
  readonly #handlers: Handlers;
  #head = "";
  #isOpen = false;
  #reason = "The connection was closed";
  /** The beginning of a frame whose rest is still to come. */
  #begun = Buffer.alloc(0);
  #begunBytes = 0;
  #outbound: Buffer[] = [];

  constructor(port: number, path: string, handlers: Handlers) {
    this.#handlers = handlers;
    this.#socket = connect({
      host: "127.0.0.1",
      port,
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (bytes) => {
          this.#read(bytes);
          return true;
        },
      },
    });
    const head =
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    this.#socket.on("connect", () => this.#socket.write(head));
    this.#socket.on("error", (error) => this.#reason = error.message);
    this.#socket.on("close", () => handlers.end(this.#reason));
  }

  /** Send a text with the others of this turn, in one write. */
  send(text: string): void {
    if (this.#outbound.push(textFrame(text)) === 1) queueMicrotask(this.#flush);
  }

  close(): void {
    this.#socket.destroy();
  }

  readonly #flush = (): void => {
    const outbound = this.#outbound;
    this.#outbound = [];
    this.#socket.write(outbound.length === 1 ? outbound[0]! : Buffer.concat(outbound));
  };

  #read(count: number): void {
    let at = this.#isOpen ? 0 : this.#readHead(count);
    if (!this.#isOpen) return;
    if (this.#begunBytes > 0) at = this.#complete(at, count);
    while (at < count) {
      const bytes = frameBytes(shared, at, count);
      if (bytes === 0 || at + bytes > count) {
        this.#begin(at, count, bytes);
        break;
      }
      this.#frame(shared, at, bytes);
      at += bytes;
    }
  }

  /** @returns where the frames begin. */
  #readHead(count: number): number {
    const before = this.#head.length;
    this.#head += shared.toString("latin1", 0, count);
    const end = this.#head.indexOf("\r\n\r\n");
    if (end < 0) return count;
    if (!this.#head.startsWith("HTTP/1.1 101 ")) {
      this.#reason = this.#head.slice(0, this.#head.indexOf("\r\n"));
      this.#socket.destroy();
      return count;
    }
    this.#head = "";
    this.#isOpen = true;
    this.#handlers.open(this);
    return end + 4 - before;
  }

  /** Keep the beginning of a frame. `bytes` is how long the whole is, 0 where that is not known yet. */
  #begin(from: number, to: number, bytes: number): void {
    const needed = Math.max(bytes, LONGEST_HEADER);
    if (this.#begun.length < needed) this.#begun = Buffer.allocUnsafe(needed);
    this.#begunBytes = shared.copy(this.#begun, 0, from, to);
  }

  /** @returns where the next frame begins. */
  #complete(from: number, to: number): number {
    let at = from;
    let bytes = frameBytes(this.#begun, 0, this.#begunBytes);
    while (bytes === 0 && at < to) {
      this.#begun[this.#begunBytes++] = shared[at++]!;
      bytes = frameBytes(this.#begun, 0, this.#begunBytes);
    }
    if (bytes === 0) return to;
    if (this.#begun.length < bytes) {
      const whole = Buffer.allocUnsafe(bytes);
      this.#begun.copy(whole, 0, 0, this.#begunBytes);
      this.#begun = whole;
    }
    const taken = shared.copy(this.#begun, this.#begunBytes, at, Math.min(to, at + bytes - this.#begunBytes));
    this.#begunBytes += taken;
    if (this.#begunBytes < bytes) return to;
    this.#begunBytes = 0;
    this.#frame(this.#begun, 0, bytes);
    return at + taken;
  }

  #frame(bytes: Buffer, at: number, count: number): void {
    const kind = bytes[at];
    const payload = at + headerBytes(bytes[at + 1]!);
    if (kind === TEXT) this.#handlers.text(bytes, payload, at + count, this);
    else if (kind === PING) {
      this.#socket.write(clientFrame(PONG, Buffer.from(bytes.subarray(payload, at + count))));
    } else if (kind === 0x88) {
      const code = count >= 4 ? bytes.readUInt16BE(payload) : 1005;
      this.#reason = `The server has closed: ${code} ${bytes.toString("utf8", payload + 2, at + count)}`;
    } else throw new Error(`Expected text frames, got one that begins with ${kind}`);
  }
}

function headerBytes(length: number): number {
  return length < 126 ? 2 : length === 126 ? 4 : 10;
}

/** Header and payload; 0 where the header is not whole. */
function frameBytes(bytes: Buffer, at: number, end: number): number {
  if (end - at < 2) return 0;
  const length = bytes[at + 1]!;
  const header = headerBytes(length);
  if (end - at < header) return 0;
  if (length < 126) return 2 + length;
  return length === 126 ? 4 + bytes.readUInt16BE(at + 2) : 10 + Number(bytes.readBigUInt64BE(at + 2));
}

function textFrame(text: string): Buffer {
  return clientFrame(TEXT, Buffer.from(text));
}

/** Masked as clients must, with a key of zeros. */
function clientFrame(kind: number, payload: Buffer): Buffer {
  const { length } = payload;
  const header = length < 126 ? 6 : 8;
  if (length > 65_535) throw new Error(`Cannot send ${length} bytes: expected at most 65535`);
  const bytes = Buffer.alloc(header + length);
  bytes[0] = kind;
  if (header === 6) bytes[1] = 0x80 | length;
  else {
    bytes[1] = 0x80 | 126;
    bytes.writeUInt16BE(length, 2);
  }
  payload.copy(bytes, header);
  return bytes;
}
