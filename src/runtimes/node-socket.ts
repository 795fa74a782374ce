/**
 * A `Socket` over a WebSocket of the `ws` package, and the wire form of frames. Used on Node, and on Deno through its
 * Node compatibility.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { closeReason } from "../protocol/close-codes.ts";
import { sendableCode } from "./close-frame.ts";
import type { Batch, Frame, Socket } from "../ports/socket.ts";

/** What is used of a `ws` WebSocket. */
export interface WsWebSocket {
  readonly readyState: number;
  ping(): void;
  close(code: number, reason: string): void;
  terminate(): void;
  pause(): void;
  resume(): void;
}

export const OPEN = 1;

export class NodeSocket implements Socket {
  readonly remoteAddress: string | null;
  readonly #ws: WsWebSocket;
  readonly #stream: Duplex;

  /** @param stream The connection below `ws`. Frames are written to it directly, between those that `ws` writes. */
  constructor(ws: WsWebSocket, stream: Duplex, remoteAddress: string | null) {
    this.#ws = ws;
    this.#stream = stream;
    this.remoteAddress = remoteAddress;
  }

  write(batch: Batch): void {
    // Order with the control frames of `ws` holds as compression is off: it then writes at once, never later.
    if (this.#ws.readyState === OPEN) this.#stream.write(joined(batch));
  }

  buffered(): number {
    // `bufferedAmount` of `ws` is this and what it compresses, which is nothing.
    return this.#stream.writableLength;
  }

  ping(): boolean {
    if (this.#ws.readyState === OPEN) this.#ws.ping();
    return true;
  }

  close(code: number, reason: string): void {
    this.#ws.close(sendableCode(code), closeReason(reason));
  }

  terminate(): void {
    this.#ws.terminate();
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }
}

/** The frames in one buffer, made once. */
function joined(batch: Batch): Buffer {
  if (batch.wire instanceof Buffer) return batch.wire;
  const bytes = batch.count === 1 ? wire(batch.frame) : writeAll(batch);
  batch.wire = bytes;
  return bytes;
}

/** Header and payload of an unmasked text frame (RFC 6455, section 5.2), made once. */
function wire(frame: Frame): Buffer {
  if (frame.wire instanceof Buffer) return frame.wire;
  const bytes = Buffer.allocUnsafe(headerBytes(frame.bytes) + frame.bytes);
  write(frame, bytes, 0);
  frame.wire = bytes;
  return bytes;
}

/** Marks a frame that was written into one batch: most are, and to keep the bytes pays only for those in several. */
const ONCE = Symbol("once");

function writeAll(batch: Batch): Buffer {
  let at = batch.bytes;
  for (let part: Batch | null = batch; part !== null; part = part.before) at += headerBytes(part.frame.bytes);
  const bytes = Buffer.allocUnsafe(at);
  // A batch leads from its last frame to its first.
  for (let part: Batch | null = batch; part !== null; part = part.before) {
    const { frame } = part;
    at -= headerBytes(frame.bytes) + frame.bytes;
    if (frame.wire === undefined) {
      write(frame, bytes, at);
      frame.wire = ONCE;
    } else wire(frame).copy(bytes, at);
  }
  return bytes;
}

function write(frame: Frame, bytes: Buffer, at: number): void {
  const { text, bytes: length } = frame;
  const header = headerBytes(length);
  bytes[at] = 0x81;
  if (header === 2) bytes[at + 1] = length;
  else if (header === 4) {
    bytes[at + 1] = 126;
    bytes[at + 2] = length >> 8;
    bytes[at + 3] = length;
  } else {
    bytes[at + 1] = 127;
    bytes.writeBigUInt64BE(BigInt(length), at + 2);
  }
  // As many bytes as characters: all is ASCII, which needs no looking at.
  bytes.write(text, at + header, length, length === text.length ? "latin1" : "utf8");
}

function headerBytes(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}
