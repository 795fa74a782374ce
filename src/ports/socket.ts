/**
 * A WebSocket as a runtime gives it: a pipe of text frames with a fill level. Everything above this file speaks to
 * sockets through it; only `src/runtimes` knows what is behind.
 *
 * @module
 */

import { utf8Length } from "../protocol/utf8.ts";

/**
 * A text frame on its way out, encoded once and handed to any number of sockets. A runtime may keep its own wire
 * form (header and payload in one buffer) in `wire`, so that the work is done for the first socket only.
 */
export class Frame {
  readonly text: string;
  /**
   * Of frames with the same key only the newest matters to a reader that falls behind. Null: every frame matters.
   */
  readonly fold: string | null;
  /** Set and read by the runtime that made the socket. */
  wire: unknown = undefined;
  #bytes = -1;
  #alone: Batch | null = null;

  constructor(text: string, fold: string | null = null) {
    this.text = text;
    this.fold = fold;
  }

  /** Length of the payload in UTF-8 bytes. */
  get bytes(): number {
    if (this.#bytes < 0) this.#bytes = utf8Length(this.text);
    return this.#bytes;
  }

  /** This frame and no other. */
  get alone(): Batch {
    return this.#alone ??= new Batch(null, this);
  }
}

/**
 * Frames that leave together, in order. Whoever is to get the same ones gets the same object, as long as each is added
 * to the same one before: so they are joined once for all of them, and nothing is made for each.
 */
export class Batch {
  /** What comes before `frame`; null for nothing. */
  readonly before: Batch | null;
  readonly frame: Frame;
  readonly count: number;
  /** Of all payloads. */
  readonly bytes: number;
  /** Set and read by the runtime that made the socket, like that of a frame. */
  wire: unknown = undefined;
  /** What was made of this one last. */
  #next: Batch | null = null;

  constructor(before: Batch | null, frame: Frame) {
    this.before = before;
    this.frame = frame;
    this.count = before === null ? 1 : before.count + 1;
    this.bytes = before === null ? frame.bytes : before.bytes + frame.bytes;
  }

  /** These frames, and one more behind them. */
  with(frame: Frame): Batch {
    const next = this.#next;
    if (next !== null && next.frame === frame) return next;
    return this.#next = new Batch(this, frame);
  }

  get frames(): Frame[] {
    const frames = new Array<Frame>(this.count);
    let at = this.count - 1;
    frames[at] = this.frame;
    for (let batch = this.before; batch !== null; batch = batch.before) frames[--at] = batch.frame;
    return frames;
  }
}

/**
 * The writing side. No method throws, whatever state the socket is in; on a socket that is closed they do nothing.
 */
export interface Socket {
  /** The peer's address, or null where the runtime does not tell. */
  readonly remoteAddress: string | null;
  /** Send the frames in order, in one write where the runtime can join them. Returns at once. */
  write(batch: Batch): void;
  /** Bytes handed to `write` that the operating system has not taken yet. */
  buffered(): number;
  /**
   * Send a protocol-level ping. False where the runtime does not let us (Deno's own socket, which pings by itself and
   * closes a peer that does not answer).
   */
  ping(): boolean;
  /** Start the closing handshake. `reason` is cut to the 123 bytes that a close frame can carry. */
  close(code: number, reason: string): void;
  /** Drop the connection now, without a handshake, where the runtime can; otherwise stop using it. */
  terminate(): void;
  /** Stop reading, so that the peer is slowed by the network itself. Nothing on Deno's own socket. */
  pause(): void;
  resume(): void;
}

/** The reading side: what a runtime calls. Calls come one at a time, `closed` once and last. */
export interface SocketReader {
  /** A whole message; binary ones as bytes. */
  message(data: string | Uint8Array): void;
  /** The peer answered a ping, or pinged us. */
  alive(): void;
  /** The connection is over. `code` is 1006 where it ended without a closing handshake, on every runtime. */
  closed(code: number, reason: string): void;
}

/** Takes a connection over as soon as it is open. */
export type Accept = (socket: Socket) => SocketReader;
