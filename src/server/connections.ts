/**
 * The clients of one server: taking them in, keeping count, seeing them off.
 *
 * @module
 */
import { Connection } from "../connection/connection.ts";
import { Heartbeat } from "../connection/heartbeat.ts";
import type { ConnectionHost } from "../connection/host.ts";
import type { Places } from "../limits/places.ts";
import type { Counter, Gauge, Meter } from "../ports/meter.ts";
import type { Socket, SocketReader } from "../ports/socket.ts";
import { CLOSE_CODES } from "../protocol/close-codes.ts";
import type { Settings } from "../settings/schema.ts";
import type { Caller } from "./identify.ts";

export interface ConnectionsOptions {
  /** Looked at anew for each client. */
  readonly settings: Pick<Settings, "websocket" | "heartbeat">;
  /** Where each of them has its address's place. */
  readonly places: Places;
  readonly meter: Meter;
}

/** How often subscribers that filter are told how far they have seen everything, in milliseconds. */
const POSITION_MS = 30_000;
/** Clients that are told to leave at once, while the server drains. */
const BATCH = 50;

/** How long one that is turned away may take to go, in milliseconds. */
const LEAVE_MS = 5_000;

export class Connections {
  readonly #all = new Map<string, Connection>();
  readonly #host: ConnectionHost;
  readonly #options: ConnectionsOptions;
  readonly #heartbeat: Heartbeat;
  readonly #accepted: Counter;
  readonly #gauges: readonly Gauge[];
  #total = 0;
  #peak = 0;
  #draining = false;
  #stopPositions: (() => void) | null = null;
  #emptied: (() => void) | null = null;

  constructor(host: ConnectionHost, options: ConnectionsOptions) {
    const { meter, settings: { heartbeat } } = options;
    this.#host = host;
    this.#options = options;
    const pulse = { intervalMs: heartbeat.interval_ms, timeoutMs: heartbeat.timeout_ms };
    this.#heartbeat = new Heartbeat(host.clock, pulse, { [Symbol.iterator]: () => this.#all.values() });
    this.#accepted = meter.counter("websocket_connections_total", {
      server: host.server,
      tls_mode: host.secure ? "wss" : "ws",
    });
    this.#gauges = [
      meter.gauge("websocket_connections_active", { server: host.server }),
      meter.gauge("websocket_connections", { server: host.server, name: host.server }),
    ];
  }

  /** Every client that is connected, those that have not said yet who they are included. */
  get all(): ReadonlyMap<string, Connection> {
    return this.#all;
  }

  /** Connections since the start. */
  get total(): number {
    return this.#total;
  }

  /** The most connections at one time. */
  get peak(): number {
    return this.#peak;
  }

  start(): void {
    this.#draining = false;
    this.#heartbeat.start();
    this.#stopPositions ??= this.#host.clock.every(POSITION_MS, () => this.#tellPositions());
  }

  /** Take a client in. It is counted from here on, whether it has authenticated or not. */
  accept(socket: Socket, caller: Caller, id: string = crypto.randomUUID()): SocketReader {
    if (this.#draining) {
      return this.#sendAway(socket, CLOSE_CODES.GOING_AWAY.code, "Server is going away");
    }
    const { max_connections: max } = this.#options.settings.websocket;
    if (max > 0 && this.#all.size >= max) {
      return this.#turnAway(socket, "max_connections", "Server at maximum capacity");
    }
    if (this.#options.places.enter(socket.remoteAddress) !== null) {
      return this.#turnAway(socket, "connections_per_address", "Too many connections from this address");
    }
    const connection = new Connection(id, socket, this.#host);
    this.#all.set(id, connection);
    this.#total++;
    this.#peak = Math.max(this.#peak, this.#all.size);
    this.#accepted.add();
    this.#count();
    this.#host.log.info("Client connected", { connection: id, address: connection.remoteAddress });
    connection.start(caller.identity.authenticated ? caller : null);
    return connection;
  }

  #turnAway(socket: Socket, limit: string, reason: string): SocketReader {
    const { metrics } = this.#host;
    metrics.connectionError(limit).add();
    metrics.limit(limit).add();
    return this.#sendAway(socket, CLOSE_CODES.FULL.code, reason);
  }

  /** A socket that does not go when it was told to would stay, counted by nobody. */
  #sendAway(socket: Socket, code: number, reason: string): SocketReader {
    const forget = this.#host.clock.after(LEAVE_MS, () => socket.terminate());
    socket.close(code, reason);
    return { message() {}, alive() {}, closed: forget };
  }

  /** Forget a connection that is over. */
  remove(id: string): void {
    const connection = this.#all.get(id);
    if (!connection) return;
    this.#all.delete(id);
    this.#options.places.leave(connection.remoteAddress);
    this.#count();
    if (this.#all.size === 0) this.#emptied?.();
  }

  /**
   * Tell every client to go, in batches spread over `drainMs`, and wait until all are gone. New ones are turned away.
   * Nothing more is taken from any of them, and who has asked for something is told when that is answered, after
   * `drainMs` at the latest. What is left when the closing handshake has had its time is cut.
   */
  async drain(drainMs: number): Promise<void> {
    this.#draining = true;
    this.#heartbeat.stop();
    this.#stopPositions?.();
    this.#stopPositions = null;
    const { clock } = this.#host;
    const late = clock.monotonic() + drainMs;
    const batches = Math.ceil(this.#all.size / BATCH);
    const pauseMs = Math.min(100, drainMs / Math.max(1, batches));
    while (this.#leaving().length > 0) {
      const done = this.#leaving().filter((connection) => !connection.finishing());
      for (const connection of clock.monotonic() < late ? done.slice(0, BATCH) : this.#leaving()) {
        connection.end(CLOSE_CODES.GOING_AWAY.code, "Server is going away");
      }
      if (this.#leaving().length > 0) await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
    }
    if (this.#all.size > 0) await new Promise<void>((resolve) => this.#emptied = resolve);
    this.#emptied = null;
  }

  #leaving(): Connection[] {
    return [...this.#all.values()].filter((connection) => !connection.over);
  }

  #count(): void {
    for (const gauge of this.#gauges) gauge.set(this.#all.size);
  }

  #tellPositions(): void {
    for (const { subscription, seq } of this.#host.hub.takeUnseen()) {
      this.#all.get(subscription.member.id)?.position(subscription, seq);
    }
  }
}
