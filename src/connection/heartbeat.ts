/**
 * Finds connections whose peer is gone, and those whose token has expired. One timer for all connections.
 *
 * @module
 */
import type { Cancel, Clock } from "../ports/clock.ts";

/** A connection, as the heartbeat sees it. All times are monotonic milliseconds. */
export interface Pulse {
  /** When the peer last showed that it is there: a message, a pong, a ping. */
  lastAlive: number;
  /** When the ping that is not answered yet was sent; null where none is. */
  pingedAt: number | null;
  /** Sends a ping; false where the runtime pings by itself. */
  ping(): boolean;
  /** The peer did not answer in time. */
  dead(): void;
  /** Called at every sweep, for what else depends on time. */
  sweep(): void;
}

export interface HeartbeatOptions {
  /** Silence after which a ping is sent, in milliseconds. 0 turns the heartbeat off. @default 25_000 */
  readonly intervalMs: number;
  /** How long the answer may take, in milliseconds. @default 20_000 */
  readonly timeoutMs: number;
}

/** How often connections are looked at. */
const SWEEP_MS = 1_000;

export class Heartbeat {
  readonly #clock: Clock;
  readonly #options: HeartbeatOptions;
  readonly #connections: Iterable<Pulse>;
  #cancel: Cancel | null = null;
  #lastSweep = 0;

  constructor(clock: Clock, options: HeartbeatOptions, connections: Iterable<Pulse>) {
    this.#clock = clock;
    this.#options = options;
    this.#connections = connections;
  }

  start(): void {
    this.#lastSweep = this.#clock.monotonic();
    this.#cancel ??= this.#clock.every(SWEEP_MS, () => this.#sweep());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    // While the event loop stood still nobody could answer: that time counts for no connection.
    const stalled = Math.max(0, now - this.#lastSweep - 2 * SWEEP_MS);
    this.#lastSweep = now;
    for (const connection of this.#connections) {
      connection.sweep();
      if (this.#options.intervalMs > 0) this.#check(connection, now, stalled);
    }
  }

  #check(connection: Pulse, now: number, stalled: number): void {
    if (connection.pingedAt !== null) {
      // Before the stall is added: an answer that came before it is an answer.
      if (connection.lastAlive >= connection.pingedAt) connection.pingedAt = null;
      else {
        connection.pingedAt += stalled;
        if (now - connection.pingedAt >= this.#options.timeoutMs) connection.dead();
      }
      return;
    }
    if (now - connection.lastAlive < this.#options.intervalMs) return;
    if (connection.ping()) connection.pingedAt = now;
    else connection.lastAlive = now;
  }
}
