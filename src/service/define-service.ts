/**
 * What a service author touches: a contract, a manager, and handlers that join the two.
 *
 * @module
 */
import type {
  Access,
  Contract,
  EventData,
  EventName,
  PublishedData,
  RequestInput,
  RequestName,
  RequestOutput,
} from "../protocol/contract.ts";
import type { JsonObject } from "../protocol/json.ts";
import type { Call, Identity } from "../ports/call.ts";
import type { Clock } from "../ports/clock.ts";
import type { Database } from "../ports/database.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { Processes } from "../ports/processes.ts";
import type { SettingsPart, SettingsService } from "../settings/schema.ts";
import type { Tables } from "../storage/migrations.ts";
import type { HttpRoute } from "./http-route.ts";

/** What a commit may say besides changing state. */
export interface Transaction<C extends Contract> {
  /**
   * Say what happened. Validated and routed by the contract; delivered when the transaction has been committed, in the
   * order said, and not at all when it fails.
   *
   * @throws {TypeError} where the data does not fit the contract: a fault of the service, never of its caller.
   */
  emit<E extends EventName<C>>(event: E, data: EventData<C, E>): void;
}

/**
 * Change state and say what happened in one step: what `work` writes to the manager's database, the events that it
 * emits and the answer for an idempotency key are one transaction. Returns what `work` returns.
 *
 * `work` is synchronous: do slow things (a child process, the network) before. What it returns is the answer of the
 * request that `call` belongs to.
 */
export type Commit<C extends Contract> = <T>(work: (transaction: Transaction<C>) => T, call?: Call) => T;

/** What a manager is given. It imports none of it, so a test can hand it anything that fits. */
export interface ManagerContext<C extends Contract> {
  readonly contract: C;
  readonly commit: Commit<C>;
  /**
   * The service's database: the same connection that `commit` writes with.
   *
   * @throws {DatabaseError} where the setting `storage.path` is "none".
   */
  readonly database: Database;
  /**
   * `commit` of one event and nothing else. With the call that it comes of, it follows the call's answer, and what the
   * caller has published as an event does not come back to it. Ephemeral events do not touch the database.
   */
  publish<E extends EventName<C>>(event: E, data: EventData<C, E>, call?: Call): void;
  /** Send an event to one channel, whatever the contract's routing says. Nothing where the channel does not exist. */
  broadcastUpdate<E extends EventName<C>>(event: E, data: EventData<C, E>, room: string): void;
  /** Whether a caller may do what needs `access`; where authentication is off, everybody may do everything. */
  mayAccess(identity: Identity, access: Access): boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly files: Files;
  readonly processes: Processes;
  /** The service's own block of the settings: as written, or what its schema made of it. */
  readonly settings: JsonObject;
}

/** A user in a channel. */
export interface Present {
  readonly user_id: string;
  readonly connections: number;
  /** How it is to be shown, where the service knows. */
  readonly user_info?: unknown;
}

/** What a manager may do for its server. All of it is optional: a manager works with no client connected. */
export interface Manager {
  /** A client is connected; `connectionId` is already in the server's `connections`. */
  onConnect?(connectionId: string): void | Promise<void>;
  /** A client is gone and has left every channel. */
  onDisconnect?(connectionId: string): void | Promise<void>;
  /** Every frame that a client sent and that could be decoded, before it is handled. */
  onMessage?(connectionId: string, frame: { type: string; event: string | null; data: JsonObject }): void;
  /** The manager's own summary for `get_status`; with an id of the service in `data`, the state of that object. */
  getStatus?(data: JsonObject): JsonObject | Promise<JsonObject>;
  /** The state behind a channel, read now; null where there is none. */
  snapshot?(kind: string, id: string | null): JsonObject | null;
  /** Who is in a channel, where that is not who listens to it; null where it is. Answered to `get_presence`. */
  presence?(kind: string, id: string | null): readonly Present[] | null;
  /** Finish or persist what is under way. */
  stop?(): void | Promise<void>;
}

/** One function per request of the contract. */
export type Handlers<C extends Contract> = {
  readonly [R in RequestName<C>]: (
    input: RequestInput<C, R>,
    call: Call,
  ) => RequestOutput<C, R> | Promise<RequestOutput<C, R>>;
};

/**
 * What an event means that a client publishes, for those events that are more than news: the service changes its state,
 * and tells by a commit with the call what came of it. Nothing else is told. Its answer is shown to the client as
 * `result`; it must not be a promise.
 */
export type Relays<C extends Contract> = {
  readonly [E in EventName<C>]?: (data: PublishedData<C, E>, call: Call) => JsonObject;
};

export interface Service<C extends Contract = Contract, M extends Manager = Manager> {
  readonly contract: C;
  /** Settings that are this service's unless somebody says otherwise. */
  readonly defaults?: SettingsPart;
  /** Checks the service's own block of the settings. Absent: it is handed on as it stands. */
  readonly settingsSchema?: SettingsService["schema"];
  /**
   * The tables that its manager keeps in the database, as `migrate` takes them. They are made by the manager; named here,
   * they let `doctor` tell a database that a newer version has written.
   */
  readonly tables?: Tables;
  /** Make the manager. Called once per server, when the database is open. */
  createManager(context: ManagerContext<C>): M | Promise<M>;
  createHandlers(manager: M): Handlers<C>;
  /** For events that are not simply handed on when a client publishes them. */
  createRelays?(manager: M): Relays<NoInfer<C>>;
  /** Routes of its own on the HTTP port, besides those that every service has. */
  readonly routes?: readonly HttpRoute<M>[];
}

/** Tie a contract, its manager and its handlers together. */
export function defineService<C extends Contract, M extends Manager>(service: Service<C, M>): Service<C, M> {
  return service;
}
