/**
 * What one connection is still to be sent. Frames of one tick leave in one write, events of several where the process has
 * no time for more (see `Flusher`). The bound judges only what the reader left over from earlier ticks, so that a burst
 * in one tick never counts as slow reading.
 *
 * Events of which only the newest per key matters are parked while the reader is behind, and follow when it has caught
 * up: see `latestBy` of a channel's kind.
 *
 * @module
 */
import type { Batch, Frame, Socket } from "../ports/socket.ts";
import type { Flushable, Flusher, Turn } from "./flusher.ts";
import type { DeliveryLedger } from "./ledger.ts";
import { type Pardon, PardonedLeftover } from "./leftover.ts";
import { Parking } from "./parking.ts";

/** Whose outbox it is. */
export interface OutboxOwner {
  readonly ledger: DeliveryLedger;
  /** The reader is too slow: called once, and nothing is written after it. */
  slow(leftoverBytes: number): void;
  /** A parked event was given up for a newer one. */
  folded(): void;
}

/** What a frame is: something said to this client alone, a live event, or one of the past. */
export type Origin = "reply" | "event" | "replay";

/** Bytes gathered within a tick that are written early. */
const FLUSH_BYTES = 262_144;

/** Left over from earlier ticks, above which events are parked. As much follows at a time when there is room again. */
const PARK_BYTES = 65_536;

export class Outbox implements Flushable {
  readonly #socket: Socket;
  readonly #flusher: Flusher;
  readonly #owner: OutboxOwner;
  readonly #limitBytes: number;
  readonly #ledger: DeliveryLedger;
  /** Bytes that waited for the reader when last measured, without replays. */
  #behind = 0;
  /** Those of them that speak against the reader. */
  #owed = 0;
  /** Null while the reader has taken all that is pardoned. */
  #pardoned: PardonedLeftover | null = null;
  /** Null while nothing is parked. */
  #parking: Parking | null = null;
  /** What is to be written next; null for nothing. */
  #pending: Batch | null = null;
  #pendingEvents = 0;
  #pendingReplays = 0;
  #queued = false;
  #queuedUrgent = false;
  #measuredTick = -1;
  #closed = false;

  /**
   * @param limitBytes Bytes left over from earlier ticks, parked ones included, above which the reader is too slow. 0: no
   * bound.
   */
  constructor(socket: Socket, flusher: Flusher, limitBytes: number, owner: OutboxOwner) {
    this.#socket = socket;
    this.#flusher = flusher;
    this.#owner = owner;
    this.#limitBytes = limitBytes;
    this.#ledger = owner.ledger;
  }

  /** Bytes on their way to the reader: those to be written next, and those that it has not taken. */
  get sendingBytes(): number {
    return (this.#pending?.bytes ?? 0) + this.#socket.buffered();
  }

  /** The same with what is parked. */
  get bytes(): number {
    return this.sendingBytes + this.#parkedBytes;
  }

  /** Whether events are parked. */
  get parks(): boolean {
    return this.#parking !== null;
  }

  get #parkedBytes(): number {
    return this.#parking === null ? 0 : this.#parking.bytes;
  }

  push(frame: Frame, origin: Origin): void {
    if (origin === "replay") return this.#enqueue(frame, origin, "replay");
    if (origin === "reply" || frame.fold === null) return this.#enqueue(frame, origin, null);
    // Behind what is parked already, so that the order stays.
    if (!this.#closed && (this.parks || this.#isBehind())) this.#park(frame, frame.fold);
    else this.#enqueue(frame, origin, "fold");
  }

  flush(turn: Turn): void {
    if (turn === "now") this.#queuedUrgent = false;
    else this.#queued = false;
    this.#write();
  }

  flushEarly(): boolean {
    if (!this.#mayWriteEarly()) return false;
    this.flush("now");
    return true;
  }

  /** Write of what is parked as much as there is room for. False when nothing is parked any more. */
  unpark(): boolean {
    while (this.parks) {
      this.#measureNow();
      if (this.#behind > PARK_BYTES) return true;
      for (const frame of this.#unparked(PARK_BYTES)) this.#enqueue(frame, "event", "fold");
      this.#write();
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
    for (const frame of this.#unparked()) this.#enqueue(frame, "event", null);
  }

  /** Write what is pending and what is parked, and take nothing more. */
  close(): void {
    this.release();
    this.#write();
    this.discard();
  }

  /** Take nothing more. */
  discard(): void {
    this.#closed = true;
    this.#flusher.unwatch(this);
    this.#ledger.ended += this.#unparked().length;
    this.#ledger.ended += this.#pendingEvents + this.#pendingReplays;
    this.#takePending();
  }

  #enqueue(frame: Frame, origin: Origin, pardon: Pardon): void {
    if (this.#closed) {
      if (origin !== "reply") this.#ledger.ended++;
      return;
    }
    const pending = this.#pending === null ? frame.alone : this.#pending.with(frame);
    this.#pending = pending;
    if (origin === "event") this.#pendingEvents++;
    else if (origin === "replay") this.#pendingReplays++;
    if (pardon !== null) {
      (this.#pardoned ??= new PardonedLeftover()).pardon(frame.bytes, pardon, pending.bytes - frame.bytes);
    }
    this.#queue(origin);
    if (pending.bytes >= FLUSH_BYTES && this.#mayWriteEarly()) this.#write();
  }

  #queue(origin: Origin): void {
    if (origin !== "event") {
      if (this.#queuedUrgent) return this.#flusher.answered();
      this.#queuedUrgent = true;
      this.#flusher.addUrgent(this);
    } else if (!this.#queued) {
      this.#queued = true;
      this.#flusher.add(this);
    }
  }

  #takePending(): Batch | null {
    const pending = this.#pending;
    this.#pending = null;
    this.#pendingEvents = this.#pendingReplays = 0;
    return pending;
  }

  #park(frame: Frame, key: string): void {
    this.#parking ??= new Parking();
    if (this.#parking.park(frame, key)) {
      this.#ledger.folded++;
      this.#owner.folded();
    }
    this.#flusher.watch(this);
    this.#measure();
    this.#note(this.#behind + this.#parking.bytes);
    this.#judge();
  }

  /** Take frames out of the parking: see `Parking.take`. */
  #unparked(bytes?: number): Frame[] {
    if (this.#parking === null) return [];
    const frames = this.#parking.take(bytes);
    if (this.#parking.count === 0) this.#parking = null;
    return frames;
  }

  /** Whether the reader has left over more than a little from earlier ticks. */
  #isBehind(): boolean {
    this.#measure();
    return this.#behind > PARK_BYTES;
  }

  /** Once in a tick: what is written in it is not left over. */
  #measure(): void {
    if (this.#measuredTick === this.#flusher.tick) return;
    this.#measuredTick = this.#flusher.tick;
    this.#measureNow();
  }

  #measureNow(): void {
    const buffered = this.#socket.buffered();
    this.#behind = buffered;
    this.#owed = buffered;
    if (this.#pardoned === null) return;
    const { replay, fold } = this.#pardoned.within(buffered);
    this.#behind -= replay;
    this.#owed -= replay + fold;
    if (this.#pardoned.isEmpty) this.#pardoned = null;
  }

  /**
   * End a reader that is too slow. Also where its parked events are too many: to drop the newest of a key would break
   * the word that is given for it in silence, while who comes back is told of the gap.
   */
  #judge(): void {
    const waiting = this.#owed + this.#parkedBytes;
    if (this.#limitBytes === 0 || waiting <= this.#limitBytes) return;
    this.discard();
    this.#owner.slow(waiting);
  }

  /**
   * Whether to write before the end of a tick would wrong nobody. What is left over before the first write of a tick
   * speaks against the reader, and it may be about to take that in this very tick: the runtime finds out on the way.
   */
  #mayWriteEarly(): boolean {
    return this.#measuredTick === this.#flusher.tick || this.#socket.buffered() === 0;
  }

  #write(): void {
    if (this.#pending === null) return;
    this.#measure();
    this.#judge();
    const ledger = this.#ledger;
    const [events, replays] = [this.#pendingEvents, this.#pendingReplays];
    const pending = this.#takePending();
    // Whoever is too slow gets nothing more.
    if (pending === null) return;
    ledger.events += events;
    ledger.replayed += replays;
    ledger.bytes += pending.bytes;
    this.#pardoned?.wrote(pending.bytes);
    this.#socket.write(pending);
    this.#note(this.#socket.buffered() + this.#parkedBytes);
  }

  #note(queueBytes: number): void {
    if (queueBytes > this.#ledger.highestQueueBytes) this.#ledger.highestQueueBytes = queueBytes;
  }
}
