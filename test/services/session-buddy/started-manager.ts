/**
 * A manager of session-buddy on a real database file in a temporary folder, behind the real dispatch, as a server would
 * start it; only the delivery of its events is left out.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { type Call, localCall } from "../../../src/ports/call.ts";
import { silentLog } from "../../../src/ports/log.ts";
import type { RequestName, RequestOutput } from "../../../src/protocol/contract.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import type { SequencedEvent } from "../../../src/protocol/event.ts";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { openDatabase } from "../../../src/runtimes/database.ts";
import { files } from "../../../src/runtimes/files.ts";
import { processes } from "../../../src/runtimes/processes.ts";
import { Dispatch, type Route } from "../../../src/service/dispatch.ts";
import { AnswerTable } from "../../../src/storage/answer-table.ts";
import { createCommit } from "../../../src/storage/commit.ts";
import { EventTable } from "../../../src/storage/event-table.ts";
import { sessionBuddy, type SessionBuddyContract } from "../../../services/session-buddy/contract.ts";
import { sessionBuddyHandlers } from "../../../services/session-buddy/handlers.ts";
import { SessionBuddyManager } from "../../../services/session-buddy/manager.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** An event that was committed, once, with all its channels, and its data without the timestamp. */
export interface Told {
  readonly event: string;
  readonly channels: string[];
  // deno-lint-ignore no-explicit-any
  readonly data: any;
}

export interface Started {
  readonly manager: SessionBuddyManager;
  readonly clock: FakeClock;
  /** Temporary; gone after `stop`. */
  readonly folder: string;
  /** Events that were committed since the last call. */
  told(): Told[];
  /**
   * Send a request as a client would. The answer is checked against the contract.
   *
   * @throws {Refusal} where it is answered with an error
   */
  request<R extends RequestName<SessionBuddyContract>>(
    name: R,
    data: Record<string, unknown>,
    identity?: Call["identity"],
  ): Promise<RequestOutput<SessionBuddyContract, R>>;
  /** Close the database and start again on the same file. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startManager(): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), "session-buddy-"));
  const clock = new FakeClock();
  const committed: SequencedEvent[] = [];
  const open = () => openServer(join(folder, "service.db"), clock, (events) => committed.push(...events));
  let server = await open();
  return {
    clock,
    folder,
    get manager() {
      return server.manager;
    },
    told: () => byEvent(committed.splice(0)),
    async request(name, data, identity = localCall().identity) {
      const call = { ...localCall(), identity };
      const answer = await server.dispatch.handle({ name, data: data as JsonObject, call });
      if (!answer.ok) throw new Refusal(answer.code, answer.message);
      return v.parse(sessionBuddy.requests[name].output, answer.data) as never;
    },
    async restart() {
      server.close();
      server = await open();
    },
    async stop() {
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function openServer(path: string, clock: FakeClock, push: (events: readonly SequencedEvent[]) => void) {
  const database = await openDatabase(path);
  const journal = new EventTable({ database, clock });
  const answers = new AnswerTable({ database, clock });
  const { commit } = createCommit({ contract: sessionBuddy, journal, answers, clock, pump: { push } });
  const manager = new SessionBuddyManager({
    contract: sessionBuddy,
    commit,
    database,
    publish: (event, data) => commit((transaction) => transaction.emit(event, data)),
    broadcastUpdate() {},
    clock,
    log: silentLog,
    files,
    processes,
    settings: {},
  });
  const handlers = sessionBuddyHandlers(manager);
  const routes = Object.entries(sessionBuddy.requests).map(([name, { access, input }]): [string, Route] => {
    const handle = handlers[name as keyof typeof handlers] as Route["handle"];
    return [name, { access, input, handle, changesState: access !== "read" }];
  });
  const dispatch = new Dispatch({
    server: sessionBuddy.name,
    routes: new Map(routes),
    answers,
    mayAccess: () => true,
    clock,
    log: silentLog,
  });
  const close = () => {
    journal.close();
    database.close();
  };
  return { manager, dispatch, close };
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
