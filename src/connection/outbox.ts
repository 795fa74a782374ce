/**
 * What one connection is still to be sent. Frames of one tick leave in one write; the bound judges only what the
 * reader left over from earlier ticks, so that a burst in one tick never counts as slow reading.
 *
 * @module
 */
import type { Frame, Socket } from "../ports/socket.ts";
import type { Flushable, Flusher } from "./flusher.ts";

export interface OutboxOptions {
  /** Bytes left over from earlier ticks above which the reader is too slow. 0: no bound. @default 1_048_576 */
  readonly limitBytes: number;
  /** Bytes gathered within a tick that are written early. @default 262_144 */
  readonly flushBytes?: number;
  /** The reader is too slow: called once, and nothing is written after it. */
  readonly onSlow: (leftoverBytes: number) => void;
}

const FLUSH_BYTES = 262_144;

export class Outbox implements Flushable {
  readonly #socket: Socket;
  readonly #flusher: Flusher;
  readonly #options: OutboxOptions;
  #pending: Frame[] = [];
  #pendingBytes = 0;
  #queued = false;
  #judgedTick = -1;
  #closed = false;

  constructor(socket: Socket, flusher: Flusher, options: OutboxOptions) {
    this.#socket = socket;
    this.#flusher = flusher;
    this.#options = options;
  }

  /** Bytes that the reader has not taken, those of this tick included. */
  get bytes(): number {
    return this.#pendingBytes + this.#socket.buffered();
  }

  push(frame: Frame): void {
    if (this.#closed) return;
    this.#pending.push(frame);
    this.#pendingBytes += frame.bytes;
    if (!this.#queued) {
      this.#queued = true;
      this.#flusher.add(this);
    }
    if (this.#pendingBytes >= (this.#options.flushBytes ?? FLUSH_BYTES)) this.#write();
  }

  /** Write what is pending now. */
  flush(): void {
    this.#queued = false;
    if (this.#pending.length > 0) this.#write();
  }

  /** Write what is pending, and take nothing more. */
  close(): void {
    this.flush();
    this.#closed = true;
    this.#pending = [];
  }

  #write(): void {
    if (this.#closed) return;
    if (this.#judgedTick !== this.#flusher.tick) {
      this.#judgedTick = this.#flusher.tick;
      const leftover = this.#socket.buffered();
      if (this.#options.limitBytes > 0 && leftover > this.#options.limitBytes) {
        this.#closed = true;
        this.#pending = [];
        this.#options.onSlow(leftover);
        return;
      }
    }
    const frames = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#socket.write(frames);
  }
}
