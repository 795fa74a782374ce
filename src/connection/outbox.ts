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
  #pending: { frame: Frame; spared: boolean }[] = [];
  #pendingBytes = 0;
  #queued = false;
  #judgedTick = -1;
  #closed = false;
  /** All that was ever written, in bytes. */
  #written = 0;
  /** Stretches of what was written that never count as left over, until the reader has taken them. */
  #spared: { from: number; to: number }[] = [];

  constructor(socket: Socket, flusher: Flusher, options: OutboxOptions) {
    this.#socket = socket;
    this.#flusher = flusher;
    this.#options = options;
  }

  /** Bytes that the reader has not taken, those of this tick included. */
  get bytes(): number {
    return this.#pendingBytes + this.#socket.buffered();
  }

  /** `spared`: the frame waits for the reader by itself, as a replay does, and is no sign that it is slow. */
  push(frame: Frame, spared = false): void {
    if (this.#closed) return;
    this.#pending.push({ frame, spared });
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
    this.discard();
  }

  /** Take nothing more. */
  discard(): void {
    this.#closed = true;
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  #write(): void {
    if (this.#closed) return;
    if (this.#judgedTick !== this.#flusher.tick) {
      this.#judgedTick = this.#flusher.tick;
      const leftover = this.#leftover();
      if (this.#options.limitBytes > 0 && leftover > this.#options.limitBytes) {
        this.discard();
        this.#options.onSlow(leftover);
        return;
      }
    }
    const pending = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    for (const { frame, spared } of pending) this.#account(frame.bytes, spared);
    this.#socket.write(pending.map(({ frame }) => frame));
  }

  #account(bytes: number, spared: boolean): void {
    const from = this.#written;
    this.#written += bytes;
    if (!spared) return;
    const before = this.#spared.at(-1);
    if (before?.to === from) before.to = this.#written;
    else this.#spared.push({ from, to: this.#written });
  }

  /** Bytes of earlier ticks that the reader has not taken, without those that are spared. */
  #leftover(): number {
    const buffered = this.#socket.buffered();
    if (this.#spared.length === 0) return buffered;
    const taken = this.#written - buffered;
    this.#spared = this.#spared.filter(({ to }) => to > taken);
    return this.#spared.reduce((left, { from, to }) => left - (to - Math.max(from, taken)), buffered);
  }
}
