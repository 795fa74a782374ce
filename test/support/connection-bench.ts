/**
 * Connections to a service without a server: real hub, journal, broker, commit, pump and dispatch, linked sockets, and a
 * clock that the test moves.
 *
 * @module
 */
import { mayAccess, mayJoin } from "../../src/auth/permissions.ts";
import { createToken, createVerifier } from "../../src/auth/token.ts";
import type { Broker } from "../../src/broker/broker.ts";
import { MemoryBroker } from "../../src/broker/memory.ts";
import { MemoryJournal } from "../../src/broker/memory-journal.ts";
import { Connection } from "../../src/connection/connection.ts";
import { Flusher } from "../../src/connection/flusher.ts";
import { Heartbeat } from "../../src/connection/heartbeat.ts";
import type { ConnectionHost, ConnectionSettings } from "../../src/connection/host.ts";
import { connectionMetrics } from "../../src/connection/metrics.ts";
import type { Retention } from "../../src/ports/journal.ts";
import type { LogFields } from "../../src/ports/log.ts";
import { silentMeter } from "../../src/ports/meter.ts";
import type { Call, Identity } from "../../src/ports/call.ts";
import type { Contract } from "../../src/protocol/contract.ts";
import type { JsonObject } from "../../src/protocol/json.ts";
import { Hub } from "../../src/rooms/hub.ts";
import { commonRoutes } from "../../src/service/common-handlers.ts";
import type { Commit } from "../../src/service/define-service.ts";
import { Dispatch, type Route } from "../../src/service/dispatch.ts";
import { createCommit } from "../../src/storage/commit.ts";
import { MemoryAnswers } from "../../src/storage/memory-answers.ts";
import { Pump } from "../../src/storage/pump.ts";
import { benchContract, benchHandlers, type BenchState } from "./bench-service.ts";
import { LinkedClient, type Received } from "./linked-socket.ts";
import { SteppedClock } from "./stepped-clock.ts";

const SETTINGS: ConnectionSettings = {
  welcome: "off",
  welcomeEvent: "session.created",
  welcomeGraceMs: 50,
  correlation: "compatible",
  authRequired: false,
  authDeadlineMs: 10_000,
  messageRate: 0,
  messageBurst: 150,
  abuseSeconds: 10,
  channelsPerConnection: 128,
  channelNameCharacters: 255,
  messageBytes: 1_048_576,
  outboundQueueBytes: 1_048_576,
  framesPerTick: 64,
  concurrentRequests: 64,
  publishWindow: 16,
};

export interface BenchOptions {
  readonly settings?: Partial<ConnectionSettings>;
  /** Makes tokens count. */
  readonly secret?: string;
  readonly snapshot?: (channel: string) => JsonObject | null;
  readonly retention?: Partial<Retention>;
  readonly verify?: ConnectionHost["verify"];
  /** Stands between the connections and the broker. */
  readonly broker?: (broker: MemoryBroker) => Broker;
  readonly clock?: SteppedClock;
}

export type Bench = ReturnType<typeof createBench>;

export function createBench(options: BenchOptions = {}) {
  const clock = options.clock ?? new SteppedClock();
  const settings = { ...SETTINGS, ...options.settings };
  const logged: { message: string; fields: LogFields }[] = [];
  const write = (message: string, fields: LogFields = {}) => void logged.push({ message, fields });
  const log = { debug: write, info: write, warn: write, error: write };
  const journal = new MemoryJournal({
    clock,
    epoch: "e1",
    retentionOf: () => ({ events: 256, ageMs: 600_000, bytes: 4_194_304, ...options.retention }),
  });
  const memory = new MemoryBroker({ journal, onError: (error) => write("delivery", { error }) });
  const broker = options.broker?.(memory) ?? memory;
  const hub = new Hub({ server: "demo", channels: benchContract.channels });
  memory.subscribe((event, cause) => hub.deliver(event, cause));
  const answers = new MemoryAnswers({ clock });
  const pump = new Pump({ broker: memory, clock, log });
  const committer = createCommit({ contract: benchContract, journal, answers, pump, clock });
  const state: BenchState = { docs: new Map(), ran: [], gates: [] };
  const may = {
    mayAccess: (identity: Identity, access: "read" | "write" | "run" | "admin") =>
      mayAccess(identity, "demo", access, settings.authRequired),
    mayJoin: (identity: Identity, kind: string) => mayJoin(identity, "demo", kind, settings.authRequired),
  };
  const routes = new Map<string, Route>(commonRoutes({
    contract: benchContract,
    commit: committer.commit as unknown as Commit<Contract>,
    broker,
    hub,
    manager: { getStatus: () => ({ docs: state.docs.size }) },
    status: (call: Call) => ({ service: "demo", door: call.door }),
    ...may,
  }));
  for (const [name, handle] of benchHandlers(state, committer.commit)) {
    const { access, input } = benchContract.requests[name as "get_doc"];
    routes.set(name, { access, changesState: (access as string) !== "read", input, handle });
  }
  const dispatch = new Dispatch({ server: "demo", routes, answers, clock, log, mayAccess: may.mayAccess });
  const connections = new Map<string, Connection>();
  const opened: string[] = [];
  const closed: string[] = [];
  const { secret } = options;
  const host: ConnectionHost = {
    server: "demo",
    greeting: "Connected to demo",
    settings,
    channels: benchContract.channels,
    hub,
    broker,
    flusher: new Flusher(clock),
    clock,
    log,
    metrics: connectionMetrics(silentMeter, "demo"),
    secure: false,
    hasEvent: (name) => Object.hasOwn(benchContract.events, name),
    hasRequest: (name) => dispatch.has(name),
    dispatch: (request) => dispatch.answer(request),
    verify: options.verify ??
      (secret === undefined ? null : createVerifier({ secret, service: "demo", clock })),
    mayJoin: may.mayJoin,
    snapshot: (channel) => {
      const state = options.snapshot?.(channel);
      return state ? { state, position: journal.head } : null;
    },
    received() {},
    opened: (id) => void opened.push(id),
    closed(id) {
      connections.delete(id);
      closed.push(id);
    },
  };

  /** Let promises and ends of ticks run until nothing is left to do. Not for signatures, which take a thread. */
  async function settle(): Promise<void> {
    for (let round = 0; round < 6; round++) {
      for (let turn = 0; turn < 12; turn++) await Promise.resolve();
      clock.tick();
    }
  }

  /** Wait until something is so, without moving the clock. */
  async function until(what: () => boolean): Promise<void> {
    for (const end = performance.now() + 10_000; performance.now() < end;) {
      clock.tick();
      if (what()) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
    throw new Error(`Waited in vain for ${what}`);
  }

  function connect(identified: Parameters<Connection["start"]>[0] = null): LinkedClient {
    const client = new LinkedClient(clock, (socket) => {
      const connection = new Connection(`c${opened.length + closed.length + connections.size}`, socket, host);
      connections.set(connection.id, connection);
      return connection;
    });
    [...connections.values()].at(-1)!.start(identified);
    return client;
  }

  /** What the client reads of it when all has settled. */
  async function ask(client: LinkedClient, ...frames: (object | string | Uint8Array)[]): Promise<Received[]> {
    client.take();
    for (const frame of frames) client.send(frame);
    await settle();
    return client.take();
  }

  return {
    ...committer,
    clock,
    hub,
    journal,
    broker: memory,
    dispatch,
    host,
    state,
    logged,
    connections,
    opened,
    closed,
    settle,
    until,
    connect,
    ask,
    change: (doc_id: string, n: number) => committer.publish("doc.changed", { doc_id, n }),
    heartbeat(intervalMs = 25_000, timeoutMs = 20_000): Heartbeat {
      const heartbeat = new Heartbeat(clock, { intervalMs, timeoutMs }, {
        [Symbol.iterator]: () => [...connections.values()].values(),
      });
      heartbeat.start();
      return heartbeat;
    },
    token: (permissions: string[], expiresInSeconds: number | null = 3600, userId: string | null = "ada") =>
      createToken({ secret: secret!, userId, permissions, expiresInSeconds, clock }),
  };
}
