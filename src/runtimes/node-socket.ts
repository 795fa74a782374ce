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
  readonly bufferedAmount: number;
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
    return this.#ws.bufferedAmount;
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
  const bytes = batch.count === 1 ? wire(batch.frame) : Buffer.concat(batch.frames.map(wire));
  batch.wire = bytes;
  return bytes;
}

/** Header and payload of an unmasked text frame (RFC 6455, section 5.2), made once. */
function wire(frame: Frame): Buffer {
  if (frame.wire instanceof Buffer) return frame.wire;
  const length = Buffer.byteLength(frame.text);
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const bytes = Buffer.allocUnsafe(header + length);
  bytes[0] = 0x81;
  if (header === 2) bytes[1] = length;
  else if (header === 4) {
    bytes[1] = 126;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = 127;
    bytes.writeBigUInt64BE(BigInt(length), 2);
  }
  bytes.write(frame.text, header, "utf8");
  frame.wire = bytes;
  return bytes;
}
