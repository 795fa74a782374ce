/**
 * A service on the air: on ports of its own (`start`), or as an app within another one (`open` and `app`).
 *
 * @module
 */
import type { Hono } from "hono";
import type { OriginRule } from "../auth/origin.ts";
import { mayAccess, mayJoin } from "../auth/permissions.ts";
import type { CreateBroker } from "../broker/broker.ts";
import type { Connection } from "../connection/connection.ts";
import { Flusher } from "../connection/flusher.ts";
import type { ConnectionHost } from "../connection/host.ts";
import { type ConnectionMetrics, connectionMetrics } from "../connection/metrics.ts";
import { createMcpEndpoint, type McpEndpoint } from "../mcp/transport.ts";
import { Watches } from "../mcp/watches.ts";
import { createPrometheus, type Prometheus } from "../metrics/prometheus.ts";
import { ANONYMOUS, type Identity } from "../ports/call.ts";
import { type Clock, systemClock, turnOfProcess } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Runtime } from "../ports/runtime.ts";
import type { Socket, SocketReader } from "../ports/socket.ts";
import type { Access, Contract, EventData, EventName } from "../protocol/contract.ts";
import { Hub } from "../rooms/hub.ts";
import type { Manager, Service } from "../service/define-service.ts";
import type { HttpRoute } from "../service/http-route.ts";
import type { Settings, SettingsPart } from "../settings/schema.ts";
import { connectionHost } from "./connection-host.ts";
import { Connections } from "./connections.ts";
import { announceStop, type Core, openCore } from "./core.ts";
import { createHttpApp, createWebSocketApp } from "./create-app.ts";
import { Gauges } from "./gauges.ts";
import type { AppHost } from "./host.ts";
import type { CallerEnv } from "./identify.ts";
import { mcpBounds, mcpHost } from "./mcp-host.ts";
import { type OpenPorts, openPorts, type PortParts, readTls } from "./ports.ts";
import { readinessOf } from "./readiness.ts";
import { prepareReload, type Reload } from "./reload.ts";
import { serverOrigins } from "./server-origins.ts";
import { idsByRoom, joinByName } from "./room-members.ts";
import { createServerLimits, type ServerLimits } from "./server-limits.ts";
import { logOf } from "./server-log.ts";
import { settingsOf } from "./server-settings.ts";
import { healthOf, statusOf, type StatusParts } from "./status.ts";
import { createTokenCheck, type RenewableTokenCheck } from "./token-check.ts";
import { warnOfTokens } from "./token-warnings.ts";
import { Turns } from "./turns.ts";

export interface ServerOptions<M extends Manager = Manager> {
  /** Node, Deno or Bun: from `src/runtimes`. Nothing is served without one. */
  readonly runtime?: Runtime;
  /** Some settings, or all of them as `loadSettings` gives them. Default: the service's. */
  readonly settings?: SettingsPart;
  /** A manager made elsewhere. Default: the service makes its own when the server opens. */
  readonly manager?: M;
  /** Carries the events. Default: the one that the setting `broker` names. */
  readonly createBroker?: CreateBroker;
  /** A logger of LogTape fits. Default: standard error, as the settings `log` say. */
  readonly log?: Log;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

export class RealtimeServer<C extends Contract, M extends Manager = Manager> {
  readonly service: Service<C, M>;
  readonly settings: Settings;
  readonly log: Log;
  readonly #options: ServerOptions<M>;
  readonly #clock: Clock;
  readonly #hub: Hub;
  readonly #prometheus: Prometheus;
  readonly #gauges: Gauges;
  readonly #tokens: RenewableTokenCheck;
  readonly #connectionHost: ConnectionHost;
  readonly #connections: Connections;
  readonly #connectionMetrics: ConnectionMetrics;
  readonly #limits: ServerLimits;
  readonly #watches = new Watches();
  #mcp: McpEndpoint;
  #originRule: OriginRule;
  #core: Core<C, M> | null = null;
  #listeners: OpenPorts | null = null;
  #startedAt: number | null = null;
  #app: Hono<CallerEnv> | null = null;
  /** From the moment a stop begins until the service is open again. */
  #isStopped = false;
  /** Opening, starting and stopping wait for one another. */
  readonly #turns = new Turns();

  constructor(service: Service<C, M>, options: ServerOptions<M> = {}) {
    const { contract } = service;
    this.service = service;
    this.settings = settingsOf(service, options.settings);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.log = options.log ?? logOf(this.settings, options.runtime ?? null, contract.name);
    this.#prometheus = createPrometheus(contract.name);
    const { meter } = this.#prometheus;
    this.#hub = new Hub({ server: contract.name, channels: contract.channels, meter, clock: this.#clock });
    this.#tokens = createTokenCheck({
      service: contract.name,
      auth: this.settings.auth,
      files: () => this.#runtime().files,
      clock: this.#clock,
      log: this.log,
    });
    this.#originRule = serverOrigins(this.settings);
    this.#limits = createServerLimits({ server: contract.name, settings: this.settings, meter });
    const metrics = this.#connectionMetrics = connectionMetrics(meter, contract.name);
    this.#connectionHost = connectionHost({
      contract,
      settings: this.settings,
      hub: this.#hub,
      clock: this.#clock,
      log: this.log,
      flusher: new Flusher(this.#clock),
      metrics,
      verify: this.#tokens.verify,
      core: () => this.#core,
      mayJoin: (identity, kind) => mayJoin(identity, contract.name, kind, this.settings.auth.required),
      closed: (id) => this.#connections.remove(id),
    });
    const places = this.#limits.connections;
    this.#connections = new Connections(this.#connectionHost, { settings: this.settings, places, meter });
    this.#mcp = this.#createMcp();
    this.#gauges = new Gauges({
      prometheus: this.#prometheus,
      settings: this.settings,
      metrics,
      runtime: options.runtime ?? null,
      open: () => this.#core,
      mcp: () => this.#mcp,
      status: () => this.#statusParts(),
    });
  }

  #createMcp(): McpEndpoint {
    const host = mcpHost({
      contract: this.service.contract,
      settings: this.settings,
      log: this.log,
      metrics: this.#connectionMetrics,
      open: () => this.#core,
      hub: this.#hub,
      watches: this.#watches,
      mayAccess: this.#mayAccess,
      mayJoin: this.#connectionHost.mayJoin,
      snapshot: this.#connectionHost.snapshot,
      status: () => this.#statusParts(),
    });
    return createMcpEndpoint(host, mcpBounds(this.settings));
  }

  /** Host of the WebSocket port. */
  get host(): string {
    return this.#listeners?.websocket?.host ?? this.settings.websocket.host;
  }

  /** The WebSocket port: the real one while it is open, the configured one otherwise. */
  get port(): number {
    return this.#listeners?.websocket?.port ?? this.settings.websocket.port;
  }

  /** The port for HTTP and MCP. */
  get httpPort(): number {
    return this.#listeners?.http.port ?? this.settings.http.port;
  }

  /** Whether the WebSocket port is open, or the server is open within another app. */
  get isRunning(): boolean {
    return this.#core !== null && (this.#listeners === null || this.#listeners.websocket !== null);
  }

  /** Every connected client, by connection id. */
  get connections(): ReadonlyMap<string, Connection> {
    return this.#connections.all;
  }

  /** Channels and wildcards that somebody is in, with the connection ids. */
  get rooms(): ReadonlyMap<string, ReadonlySet<string>> {
    return idsByRoom(this.#hub);
  }

  /** @throws {TypeError} while the server is not open. */
  get manager(): M {
    return this.#opened().manager;
  }

  /**
   * The HTTP routes, for an app of your own: `app.route("/live", server.app)`. They answer NOT_AVAILABLE until the
   * server is open.
   */
  get app(): Hono<CallerEnv> {
    return this.#app ??= createHttpApp(this.#appHost());
  }

  /** Storage and manager, without ports: for a server within an app of your own. */
  open(): Promise<void> {
    return this.#turns.take(() => this.#open());
  }

  async #open(): Promise<void> {
    if (this.#core) return;
    // One that was closed stays closed.
    if (this.#isStopped) this.#mcp = this.#createMcp();
    warnOfTokens(this.service.contract.name, this.settings, this.log);
    await this.#tokens.prepare();
    this.#core = await openCore({
      service: this.service,
      settings: this.settings,
      runtime: this.#runtime(),
      hub: this.#hub,
      heard: (event) => this.#watches.deliver(event),
      clock: this.#clock,
      log: this.log,
      meter: this.#prometheus.meter,
      mayAccess: this.#mayAccess,
      mayJoin: this.#connectionHost.mayJoin,
      status: (call) => statusOf(this.#statusParts(), this.connections.get(call.connectionId ?? "") ?? null),
      ...(this.#options.manager ? { manager: this.#options.manager } : {}),
      ...(this.#options.createBroker ? { createBroker: this.#options.createBroker } : {}),
    });
    this.#isStopped = false;
    this.#startedAt = this.#clock.monotonic();
    this.#connections.start();
    this.#gauges.start();
  }

  /**
   * Open, and serve on the configured ports: WebSocket first, where it is enabled, then HTTP and MCP, both by TLS where
   * that is on. A failure closes again what is open and rejects with a sentence that names the port or the file.
   */
  start(): Promise<void> {
    return this.#turns.take(() => this.#start());
  }

  async #start(): Promise<void> {
    if (this.#listeners) return;
    const parts = this.#portParts();
    const tls = await readTls(parts);
    await this.#open();
    try {
      const apps = { websocket: createWebSocketApp(this.#appHost()), http: this.app };
      this.#listeners = await openPorts({ ...parts, tls }, apps);
    } catch (error) {
      await this.#stop();
      throw error;
    }
    this.#renewOrigins();
  }

  #portParts(): PortParts {
    const { settings, log } = this;
    const service = this.service.contract.name;
    return { service, settings, runtime: this.#runtime(), clock: this.#clock, log, limits: this.#limits };
  }

  #renewOrigins(): void {
    this.#originRule = serverOrigins(this.settings, this.#listeners ? [this.port, this.httpPort] : []);
  }

  /**
   * Check settings that were read again, and the files that they name. `apply` of what this resolves with then changes
   * what can change while clients are connected.
   *
   * @throws {SettingsError | CertificateError} where something cannot be used. Nothing has changed then.
   */
  prepareReload(read: Settings): Promise<Reload> {
    const [tokens, connectionHost, ports] = [this.#tokens, this.#connectionHost, this.#listeners];
    const renewOrigins = () => this.#renewOrigins();
    const parts = { ...this.#portParts(), tokens, connectionHost, ports, renewOrigins };
    return prepareReload(parts, settingsOf(this.service, read));
  }

  /** Tell clients to go, let requests and the manager finish, free the ports. Harmless when nothing runs. */
  stop(): Promise<void> {
    return this.#turns.take(() => this.#stop());
  }

  async #stop(): Promise<void> {
    this.#isStopped = true;
    const core = this.#core;
    core?.canary.close();
    const listeners = this.#listeners;
    const { drain_ms: drainMs } = this.settings.shutdown;
    if (core && listeners) announceStop(core, this.service.contract.name, this.log);
    // Whoever is back after a restart has neither left nor joined.
    core?.presence?.stop();
    this.#gauges.stop();
    await this.#connections.drain(drainMs);
    // Calls that wait are answered before their sessions end.
    this.#watches.stop();
    await turnOfProcess();
    await this.#mcp.close();
    if (listeners) {
      await Promise.all(listeners.listeners.map((listener) => listener.close(drainMs)));
      this.#listeners = null;
      this.log.info("Server stopped", { service: this.service.contract.name });
    }
    this.#core = null;
    this.#startedAt = null;
    await core?.close();
  }

  /**
   * Take a client in, as the runtime does when a socket opens. The id is in `connections` when this returns.
   *
   * @param connectionId Default: a new UUID.
   */
  onConnect(socket: Socket, connectionId?: string): SocketReader {
    return this.#connections.accept(socket, { identity: ANONYMOUS, expiresAt: null }, connectionId);
  }

  /**
   * Put a client into a channel, as if it had subscribed.
   *
   * @returns false where there is no such client or channel.
   */
  joinRoom(room: string, connectionId: string): boolean {
    const connection = this.connections.get(connectionId);
    const { channels } = this.service.contract;
    return connection !== undefined &&
      joinByName(this.#hub, channels, connection, room, this.#opened().broker.position);
  }

  /** Take a client out of a channel. False where it was not in. */
  leaveRoom(room: string, connectionId: string): boolean {
    const connection = this.connections.get(connectionId);
    return connection !== undefined && this.#hub.leave(connection, room);
  }

  /** Say that something happened: validated, and routed to its channels by the contract. */
  publish<E extends EventName<C>>(event: E, data: EventData<C, E>): void {
    this.#opened().publish(event, data);
  }

  /** Send an event to one channel, whatever the contract's routing says. */
  broadcastUpdate<E extends EventName<C>>(event: E, data: EventData<C, E>, room: string): void {
    this.#opened().broadcastUpdate(event, data, room);
  }

  readonly #mayAccess = (identity: Identity, access: Access): boolean =>
    mayAccess(identity, this.service.contract.name, access, this.settings.auth.required);

  #opened(): Core<C, M> {
    if (this.#core) return this.#core;
    throw new TypeError(
      `Cannot use ${this.service.contract.name} before it is open: call open() or start() first`,
    );
  }

  #runtime(): Runtime {
    if (this.#options.runtime) return this.#options.runtime;
    throw new TypeError("Cannot open a server without a runtime: pass one from mcp-realtime/runtimes");
  }

  #statusParts(): StatusParts {
    return {
      contract: this.service.contract,
      clock: this.#clock,
      hub: this.#hub,
      connections: this.#connections,
      host: this.host,
      port: this.port,
      running: this.isRunning,
      ready: this.#core !== null,
      startedAt: this.#startedAt,
    };
  }

  #appHost(): AppHost {
    return {
      contract: this.service.contract,
      settings: this.settings,
      runtime: () => this.#runtime(),
      log: this.log,
      originRule: () => this.#originRule,
      verify: this.#tokens.verify,
      limits: this.#limits,
      clock: this.#clock,
      address: (context) => this.#options.runtime?.remoteAddress(context) ?? null,
      hub: this.#hub,
      open: () => this.#core,
      routes: (this.service.routes ?? []) as readonly HttpRoute<unknown>[],
      mayAccess: this.#mayAccess,
      mayJoin: this.#connectionHost.mayJoin,
      mcp: () => this.#mcp,
      accept: (caller) => (socket) => this.#connections.accept(socket, caller),
      health: () => healthOf(this.#statusParts()),
      readiness: () =>
        readinessOf({
          server: this.service.contract.name,
          clock: this.#clock,
          stopping: () => this.#isStopped,
          open: () => this.#core,
        }),
      prometheus: this.#prometheus,
      turnedAway: (reason) => this.#connectionMetrics.connectionError(reason).add(),
    };
  }
}
