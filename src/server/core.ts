/**
 * A service at work, without ports: database, journal, broker, manager and dispatch, opened in order and closed in
 * reverse. A failure unwinds what is open.
 *
 * @module
 */
import type { Broker, CreateBroker } from "../broker/broker.ts";
import { Canary } from "../broker/canary.ts";
import { MemoryBroker } from "../broker/memory.ts";
import { MemoryJournal } from "../broker/memory-journal.ts";
import type { Answers } from "../ports/answers.ts";
import type { Call, Identity } from "../ports/call.ts";
import type { Clock } from "../ports/clock.ts";
import { type Database, DatabaseError } from "../ports/database.ts";
import type { Journal } from "../ports/journal.ts";
import type { Log } from "../ports/log.ts";
import type { Meter } from "../ports/meter.ts";
import type { Runtime } from "../ports/runtime.ts";
import type { Access, ChannelKind, Contract, EventData, EventName, EventSpec } from "../protocol/contract.ts";
import type { SequencedEvent } from "../protocol/event.ts";
import type { JsonObject } from "../protocol/json.ts";
import type { Hub } from "../rooms/hub.ts";
import { Presence } from "../rooms/presence.ts";
import { type CommonParts, commonRoutes } from "../service/common-handlers.ts";
import type { Commit, Manager, ManagerContext, Service } from "../service/define-service.ts";
import { Dispatch, type Route } from "../service/dispatch.ts";
import type { Settings } from "../settings/schema.ts";
import { AnswerTable } from "../storage/answer-table.ts";
import { createCommit } from "../storage/commit.ts";
import { databaseBytes } from "../storage/database-size.ts";
import { DiskWatch } from "../storage/disk-watch.ts";
import { EventTable } from "../storage/event-table.ts";
import { LeaseTable } from "../storage/leases.ts";
import { MemoryAnswers } from "../storage/memory-answers.ts";
import { MemoryLeases } from "../storage/memory-leases.ts";
import { Pump } from "../storage/pump.ts";
import { retentionByKind, standardRetention } from "./retention.ts";

export interface CoreParts<C extends Contract, M extends Manager> {
  readonly service: Service<C, M>;
  readonly settings: Settings;
  readonly runtime: Runtime;
  readonly hub: Hub;
  /** Told of every event after the hub, in order. Must not throw. @default nobody */
  readonly heard?: (event: SequencedEvent) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly mayAccess: (identity: Identity, access: Access) => boolean;
  readonly mayJoin: (identity: Identity, kind: string) => boolean;
  /** The server's own figures for `get_status`. */
  readonly status: (call: Call) => JsonObject;
  /** A manager that was made elsewhere, instead of the service's own. */
  readonly manager?: M;
  /** @default a `MemoryBroker` */
  readonly createBroker?: CreateBroker;
}

/** An open service, as far as its contract does not matter. */
export interface OpenService {
  readonly manager: Manager;
  readonly broker: Broker;
  readonly journal: Journal;
  readonly dispatch: Dispatch;
  readonly canary: Canary;
  /** Whether its disk was full a moment ago. */
  isDiskFull(): boolean;
  /** Size of the database without its write-ahead log; 0 where there is none. */
  databaseBytes(): number;
}

export interface Core<C extends Contract, M extends Manager> extends OpenService {
  readonly manager: M;
  readonly commit: Commit<C>;
  /** Null where no kind of channel tells who is in it. Stopped before the clients are sent away, it keeps who was there. */
  readonly presence: Presence | null;
  publish<E extends EventName<C>>(event: E, data: EventData<C, E>): void;
  broadcastUpdate<E extends EventName<C>>(event: E, data: EventData<C, E>, room: string): void;
  /** Let the manager finish, hand the last events over, close the database. */
  close(): Promise<void>;
}

/** Say on `global` that the service is about to stop. */
export function announceStop(core: Pick<Core<Contract, Manager>, "publish">, name: string, log: Log): void {
  try {
    core.publish("system.announcement", { message: `${name} stops`, level: "info", source: name });
  } catch (error) {
    // A disk that is full must not keep it from stopping.
    log.warn("The stop could not be announced", { service: name, error });
  }
}

/** @throws DatabaseError, or whatever the manager throws while it starts. */
export async function openCore<C extends Contract, M extends Manager>(
  parts: CoreParts<C, M>,
): Promise<Core<C, M>> {
  const { service, settings, runtime, clock, log } = parts;
  const { contract } = service;
  const path = settings.storage.path;
  const database = path === "none" ? null : await runtime.openDatabase(path);
  try {
    const { journal, answers } = keeping(database, parts);
    const createBroker = parts.createBroker ?? ((given) => new MemoryBroker(given));
    const broker = createBroker({
      journal,
      onError: (error, { stage }) => log.error("An event could not be delivered", { stage, error }),
    });
    broker.subscribe((event, cause) => {
      parts.hub.deliver(event, cause);
      parts.heard?.(event);
    });
    const pump = new Pump({ broker, clock, log });
    const canary = new Canary({ journal, broker, pump, clock, log });
    const disk = new DiskWatch(clock);
    const onFailure = (error: unknown) => disk.note(error);
    const committer = createCommit({ contract, journal, answers, pump, clock, onFailure });
    const presence = presenceOf(database, parts, committer.commit as unknown as Commit<Contract>);
    const context: ManagerContext<C> = {
      contract,
      commit: committer.commit,
      get database() {
        if (database) return database;
        throw new DatabaseError(
          `Cannot run '${contract.name}' without a database: storage.path is "none", expected a file or ":memory:"`,
        );
      },
      publish: (event, data, call) => committer.publish(event, data, call),
      broadcastUpdate: (event, data, room) => void committer.broadcastUpdate(event, data, room),
      mayAccess: parts.mayAccess,
      clock,
      log,
      files: runtime.files,
      processes: runtime.processes,
      settings: settings.own,
    };
    const manager = parts.manager ?? await service.createManager(context);
    const dispatch = new Dispatch({
      server: contract.name,
      routes: routesOf(service, manager, {
        ...parts,
        contract,
        manager,
        broker,
        presence,
        commit: committer.commit as unknown as Commit<Contract>,
      }),
      answers,
      mayAccess: parts.mayAccess,
      clock,
      log,
      meter: parts.meter,
    });
    presence?.start();
    return {
      manager,
      broker,
      journal,
      dispatch,
      canary,
      isDiskFull: () => disk.isFull,
      databaseBytes: () => database ? databaseBytes(database) : 0,
      commit: context.commit,
      presence,
      publish: context.publish,
      broadcastUpdate: context.broadcastUpdate,
      async close() {
        canary.close();
        presence?.stop();
        await manager.stop?.();
        await pump.idle();
        await broker.close();
        journal.close();
        database?.close();
      },
    };
  } catch (error) {
    database?.close();
    throw database ? databaseFault(error, path, contract.name) : error;
  }
}

/** What is whole as a database may lack what belongs into it. Other errors stay what they are. */
function databaseFault(error: unknown, path: string, service: string): unknown {
  if (!/no such (table|column)|has no column/i.test(String((error as Error)?.message))) return error;
  return new DatabaseError(
    `Cannot use the database "${path}": tables of ${service} are missing in it or are not its own; restore it from a ` +
      "backup, or move it away to start with an empty one",
    { cause: error },
  );
}

function keeping<C extends Contract, M extends Manager>(
  database: Database | null,
  { service, settings, clock, meter }: CoreParts<C, M>,
): { journal: Journal; answers: Answers } {
  const { contract } = service;
  const { history, idempotency } = settings;
  const standard = standardRetention(history);
  const retention = retentionByKind(contract, settings);
  const options = {
    clock,
    retentionOf: (kind: string) => retention.get(kind) ?? standard,
    maxBytes: history.total_bytes,
    cappedEvents: meter.counter("websocket_history_capped_events_total", { server: contract.name }),
  };
  const bounds = {
    ageMs: idempotency.age_seconds * 1_000,
    count: idempotency.count,
    bytes: idempotency.bytes,
  };
  return database
    ? {
      journal: new EventTable({ database, ...options }),
      answers: new AnswerTable({ database, clock, bounds }),
    }
    : { journal: new MemoryJournal(options), answers: new MemoryAnswers({ clock, bounds }) };
}

function presenceOf<C extends Contract, M extends Manager>(
  database: Database | null,
  { service, settings, hub, clock, log }: CoreParts<C, M>,
  commit: Commit<Contract>,
): Presence | null {
  const channels: Readonly<Record<string, ChannelKind>> = service.contract.channels;
  if (!Object.values(channels).some(({ presence }) => presence)) return null;
  const leases = database ? new LeaseTable(database) : new MemoryLeases();
  const leaseMs = settings.presence.lease_seconds * 1_000;
  return new Presence({ channels, hub, leases, commit, clock, leaseMs, log });
}

function routesOf<C extends Contract, M extends Manager>(
  service: Service<C, M>,
  manager: M,
  parts: CommonParts,
): ReadonlyMap<string, Route> {
  const relays = relaysOf(service, manager);
  const routes = new Map(commonRoutes({ ...parts, relays: relays as CommonParts["relays"] & object }));
  const handlers = service.createHandlers(manager);
  const { name: owner, requests } = service.contract;
  const unknown = Object.keys(handlers).find((name) => !Object.hasOwn(requests, name));
  if (unknown !== undefined) {
    throw new TypeError(`Handlers of ${owner}: expected those of its contract's requests, got '${unknown}'`);
  }
  for (const [name, { access, input }] of Object.entries(service.contract.requests)) {
    const handle = handlers[name as keyof typeof handlers] as Route["handle"];
    if (typeof handle !== "function") {
      throw new TypeError(
        `Handlers of ${owner}: expected a function for request '${name}', got ${typeof handle}`,
      );
    }
    routes.set(name, { access, changesState: access !== "read", input, handle });
  }
  return routes;
}

/** @throws {TypeError} where they do not fit the contract: nobody could publish the event as it says. */
function relaysOf<C extends Contract, M extends Manager>(
  { contract, ...service }: Service<C, M>,
  manager: M,
) {
  const events: Readonly<Record<string, EventSpec>> = contract.events;
  const relays = service.createRelays?.(manager) ?? {};
  for (const name of Object.keys(relays)) {
    if (events[name]?.publishable !== undefined) continue;
    throw new TypeError(
      `Relays of ${contract.name}: expected those of events that clients may publish, got '${name}'`,
    );
  }
  for (const [name, event] of Object.entries(events)) {
    if (event.published === undefined || Object.hasOwn(relays, name)) continue;
    throw new TypeError(
      `Relays of ${contract.name}: expected one for '${name}', which has 'published', got none`,
    );
  }
  return relays;
}
