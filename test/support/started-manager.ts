/**
 * A manager on a real database file in a temporary folder, behind the real dispatch, as a server would start it; only
 * the delivery of its events is left out.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { mayAccess } from "../../src/auth/permissions.ts";
import { type Call, localCall } from "../../src/ports/call.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Database } from "../../src/ports/database.ts";
import { type Log, silentLog } from "../../src/ports/log.ts";
import type { Contract, RequestName, RequestOutput } from "../../src/protocol/contract.ts";
import { Refusal } from "../../src/protocol/errors.ts";
import type { SequencedEvent } from "../../src/protocol/event.ts";
import type { JsonObject } from "../../src/protocol/json.ts";
import { openDatabase } from "../../src/runtimes/database.ts";
import { files } from "../../src/runtimes/files.ts";
import { processes } from "../../src/runtimes/processes.ts";
import type { Manager, Service } from "../../src/service/define-service.ts";
import { Dispatch, type Route } from "../../src/service/dispatch.ts";
import { AnswerTable } from "../../src/storage/answer-table.ts";
import { createCommit } from "../../src/storage/commit.ts";
import { EventTable } from "../../src/storage/event-table.ts";

/** An event that was committed, once, with all its channels, and its data without the timestamp. */
export interface Told {
  readonly event: string;
  readonly channels: string[];
  // deno-lint-ignore no-explicit-any
  readonly data: any;
}

export interface Started<C extends Contract, M extends Manager> {
  readonly manager: M;
  readonly database: Database;
  /** Temporary; gone after `stop`. */
  readonly folder: string;
  /** Events that were committed since the last call. */
  told(): Told[];
  /** Wait for an event that fits, counted from the start; `fits` sees its data. */
  heard(event: string, fits?: (data: Told["data"]) => boolean): Promise<Told>;
  /**
   * Send a request as a client would. The answer is checked against the contract.
   *
   * @throws {Refusal} where it is answered with an error
   */
  request<R extends RequestName<C>>(
    name: R,
    data: Record<string, unknown>,
    identity?: Call["identity"],
  ): Promise<RequestOutput<C, R>>;
  /**
   * Close the database and start again on the same file. Without `orderly` the manager is not stopped first: what it
   * has under way can no longer be written, as after a crash.
   */
  restart(orderly?: "orderly"): Promise<void>;
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly clock: Clock;
  readonly log?: Log;
  /** @default false */
  readonly authRequired?: boolean;
  /** The service's own block, given the temporary folder; checked by its schema. */
  readonly settings?: (folder: string) => JsonObject;
}

export async function startManager<C extends Contract, M extends Manager>(
  service: Service<C, M>,
  { clock, log = silentLog, authRequired = false, settings = () => ({}) }: StartOptions,
): Promise<Started<C, M>> {
  const folder = await mkdtemp(join(tmpdir(), `${service.contract.name}-`));
  const own = settings(folder);
  const committed: SequencedEvent[] = [];
  const all: Told[] = [];
  const waiting = new Set<() => void>();
  const push = (events: readonly SequencedEvent[]) => {
    committed.push(...events);
    all.push(...byEvent(events));
    for (const look of waiting) look();
  };
  const path = join(folder, "service.db");
  const open = () => openServer(service, { path, clock, log, authRequired, own, push });
  let server = await open();
  return {
    folder,
    get manager() {
      return server.manager;
    },
    get database() {
      return server.database;
    },
    told: () => byEvent(committed.splice(0)),
    heard: (event, fits = () => true) =>
      new Promise((resolve) => {
        const look = () => {
          const found = all.find((told) => told.event === event && fits(told.data));
          if (!found) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    async request(name, data, identity = localCall().identity) {
      const call = { ...localCall(), identity };
      const answer = await server.dispatch.handle({ name, data: data as JsonObject, call });
      if (!answer.ok) throw new Refusal(answer.code, answer.message);
      return v.parse(service.contract.requests[name]!.output, answer.data) as never;
    },
    async restart(orderly) {
      if (orderly) await server.manager.stop?.();
      server.close();
      server = await open();
    },
    async stop() {
      await server.manager.stop?.();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Opening {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly authRequired: boolean;
  readonly own: JsonObject;
  readonly push: (events: readonly SequencedEvent[]) => void;
}

async function openServer<C extends Contract, M extends Manager>(
  { contract, settingsSchema, createManager, createHandlers }: Service<C, M>,
  { path, clock, log, authRequired, own, push }: Opening,
) {
  const database = await openDatabase(path);
  const journal = new EventTable({ database, clock });
  const answers = new AnswerTable({ database, clock });
  const { commit } = createCommit({ contract, journal, answers, clock, pump: { push } });
  const manager = await createManager({
    contract,
    commit,
    database,
    publish: (event, data) => commit((transaction) => transaction.emit(event, data)),
    broadcastUpdate() {},
    mayAccess: (identity, access) => mayAccess(identity, contract.name, access, authRequired),
    clock,
    log,
    files,
    processes,
    settings: (settingsSchema ? v.parse(settingsSchema, own) : own) as JsonObject,
  });
  const handlers = createHandlers(manager) as Record<string, Route["handle"]>;
  const routes = Object.entries(contract.requests).map(([name, { access, input }]): [string, Route] => {
    return [name, { access, input, handle: handlers[name]!, changesState: access !== "read" }];
  });
  const dispatch = new Dispatch({
    server: contract.name,
    routes: new Map(routes),
    answers,
    mayAccess: () => true,
    clock,
    log,
  });
  const close = () => {
    journal.close();
    database.close();
  };
  return { manager, database, dispatch, close };
}

function byEvent(events: readonly SequencedEvent[]): Told[] {
  const told = new Map<string, Told>();
  for (const { id, event, channel, data: { timestamp: _, ...data } } of events) {
    const known = told.get(id) ?? { event, channels: [], data };
    known.channels.push(channel);
    told.set(id, known);
  }
  return [...told.values()];
}
