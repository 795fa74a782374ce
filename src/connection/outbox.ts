/**
 * What one connection is still to be sent. Frames of one tick leave in one write; the bound judges only what the
 * reader left over from earlier ticks, so that a burst in one tick never counts as slow reading.
 *
 * Events of which only the newest per key matters are parked while the reader is behind, and follow when it has caught
 * up: see `latestBy` of a channel's kind.
 *
 * @module
 */
import type { Frame, Socket } from "../ports/socket.ts";
import type { Flushable, Flusher } from "./flusher.ts";
import type { DeliveryLedger } from "./ledger.ts";
import { Leftover, type Pardon } from "./leftover.ts";
import { Parking } from "./parking.ts";

export interface OutboxOptions {
  /**
   * Bytes left over from earlier ticks, parked ones included, above which the reader is too slow. 0: no bound.
   *
   * @default 1_048_576
   */
  readonly limitBytes: number;
  /** Bytes gathered within a tick that are written early. @default 262_144 */
  readonly flushBytes?: number;
  readonly ledger: DeliveryLedger;
  /** The reader is too slow: called once, and nothing is written after it. */
  readonly onSlow: (leftoverBytes: number) => void;
  /** A parked event was given up for a newer one. */
  readonly onFolded: () => void;
}

/** What a frame is: something said to this client alone, a live event, or one of the past. */
export type Origin = "reply" | "event" | "replay";

const FLUSH_BYTES = 262_144;

/** Left over from earlier ticks, above which events are parked. As much follows at a time when there is room again. */
const PARK_BYTES = 65_536;

interface Pending {
  readonly frame: Frame;
  readonly origin: Origin;
  readonly pardon: Pardon;
}

export class Outbox implements Flushable {
  readonly #socket: Socket;
  readonly #flusher: Flusher;
  readonly #options: OutboxOptions;
  readonly #ledger: DeliveryLedger;
  readonly #leftover: Leftover;
  readonly #parking = new Parking();
  #pending: Pending[] = [];
  #pendingBytes = 0;
  #queued = false;
  #measuredTick = -1;
  #closed = false;

  constructor(socket: Socket, flusher: Flusher, options: OutboxOptions) {
    this.#socket = socket;
    this.#flusher = flusher;
    this.#options = options;
    this.#ledger = options.ledger;
    this.#leftover = new Leftover(socket);
  }

  /** Bytes on their way to the reader: those of this tick, and those that it has not taken. */
  get sendingBytes(): number {
    return this.#pendingBytes + this.#socket.buffered();
  }

  /** The same with what is parked. */
  get bytes(): number {
    return this.sendingBytes + this.#parking.bytes;
  }

  /** Whether events are parked. */
  get parks(): boolean {
    return this.#parking.count > 0;
  }

  push(frame: Frame, origin: Origin): void {
    if (this.#closed) return;
    if (origin === "replay") return this.#enqueue(frame, origin, "replay");
    if (origin === "reply" || frame.fold === null) return this.#enqueue(frame, origin, null);
    // Behind what is parked already, so that the order stays.
    if (this.parks || this.#isBehind()) this.#park(frame, frame.fold);
    else this.#enqueue(frame, origin, "fold");
  }

  /** Write what is pending now. */
  flush(): void {
    this.#queued = false;
    if (this.#pending.length > 0) this.#write();
  }

  /** Write of what is parked as much as there is room for. False when nothing is parked any more. */
  unpark(): boolean {
    while (this.parks) {
      this.#leftover.measure();
      if (this.#leftover.behind > PARK_BYTES) return true;
      for (const frame of this.#parking.take(PARK_BYTES)) this.#enqueue(frame, "event", "fold");
      this.flush();
    }
    return false;
  }

  /**
   * Send all that is parked with this tick, so that it comes before what the client is told next. From then on it counts
   * like other frames: who makes this happen again and again without reading is too slow.
   */
  release(): void {
    if (!this.parks) return;
    this.#flusher.unwatch(this);
    for (const frame of this.#parking.take()) this.#enqueue(frame, "event", null);
  }

  /** Write what is pending and what is parked, and take nothing more. */
  close(): void {
    this.release();
    this.flush();
    this.discard();
  }

  /** Take nothing more. */
  discard(): void {
    this.#closed = true;
    this.#flusher.unwatch(this);
    this.#ledger.ended += this.#parking.take().length;
    for (const { origin } of this.#pending) if (origin !== "reply") this.#ledger.ended++;
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  #enqueue(frame: Frame, origin: Origin, pardon: Pardon): void {
    if (this.#closed) {
      if (origin !== "reply") this.#ledger.ended++;
      return;
    }
    this.#pending.push({ frame, origin, pardon });
    this.#pendingBytes += frame.bytes;
    if (!this.#queued) {
      this.#queued = true;
      this.#flusher.add(this);
    }
    if (this.#pendingBytes >= (this.#options.flushBytes ?? FLUSH_BYTES)) this.#write();
  }

  #park(frame: Frame, key: string): void {
    if (this.#parking.park(frame, key)) {
      this.#ledger.folded++;
      this.#options.onFolded();
    }
    this.#flusher.watch(this);
    this.#measure();
    this.#note(this.#leftover.behind + this.#parking.bytes);
    this.#judge();
  }

  /** Whether the reader has left over more than a little from earlier ticks. */
  #isBehind(): boolean {
    this.#measure();
    return this.#leftover.behind > PARK_BYTES;
  }

  /** Once in a tick: what is written in it is not left over. */
  #measure(): void {
    if (this.#measuredTick === this.#flusher.tick) return;
    this.#measuredTick = this.#flusher.tick;
    this.#leftover.measure();
  }

  /**
   * End a reader that is too slow. Also where its parked events are too many: to drop the newest of a key would break
   * the word that is given for it in silence, while who comes back is told of the gap.
   */
  #judge(): void {
    const { limitBytes, onSlow } = this.#options;
    const waiting = this.#leftover.owed + this.#parking.bytes;
    if (limitBytes === 0 || waiting <= limitBytes) return;
    this.discard();
    onSlow(waiting);
  }

  #write(): void {
    if (this.#closed) return;
    this.#measure();
    this.#judge();
    if (this.#closed) return;
    const pending = this.#pending;
    const ledger = this.#ledger;
    ledger.bytes += this.#pendingBytes;
    this.#pending = [];
    this.#pendingBytes = 0;
    for (const { frame, origin, pardon } of pending) {
      this.#leftover.wrote(frame.bytes, pardon);
      if (origin === "event") ledger.events++;
      else if (origin === "replay") ledger.replayed++;
    }
    this.#socket.write(pending.map(({ frame }) => frame));
    this.#note(this.#socket.buffered() + this.#parking.bytes);
  }

  #note(queueBytes: number): void {
    if (queueBytes > this.#ledger.highestQueueBytes) this.#ledger.highestQueueBytes = queueBytes;
  }
}
