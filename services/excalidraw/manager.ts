/**
 * Excalidraw: diagrams that several people edit at once, merged as Excalidraw's own editors merge; their cursors; and who
 * is there.
 *
 * Diagrams and joins are kept in the service's database; every change and its event are one commit. Cursors are not kept.
 *
 * @module
 */
import { monotonicFactory } from "ulid";
import * as v from "valibot";
import type { Call } from "../../src/ports/call.ts";
import type { Cancel } from "../../src/ports/clock.ts";
import { parseChannel } from "../../src/protocol/channel-name.ts";
import type { RequestInput, RequestName } from "../../src/protocol/contract.ts";
import { Refusal } from "../../src/protocol/errors.ts";
import { DEFAULT_LIST_LIMIT } from "../../src/protocol/fields.ts";
import type { JsonObject } from "../../src/protocol/json.ts";
import type { Manager, ManagerContext } from "../../src/service/define-service.ts";
import { migrate } from "../../src/storage/migrations.ts";
import type { ExcalidrawContract } from "./contract.ts";
import { ActingUsers } from "./domain/acting-user.ts";
import { Cursors } from "./domain/cursors.ts";
import { type DiagramHead, Diagrams } from "./domain/diagrams.ts";
import { type Diagram, Drawings } from "./domain/drawings.ts";
import { checkElements } from "./domain/element.ts";
import { EMPTY_APP_STATE, filenameOf, readScene, writeScene } from "./domain/excalidraw-file.ts";
import { type JoinKey, Joins, NO_CONNECTION, type PresentUser, type UserInfo } from "./domain/joins.ts";
import { Presence } from "./domain/presence.ts";
import { SCHEMA_NAME, SCHEMA_STEPS } from "./domain/schema.ts";
import { excalidrawSettings } from "./domain/settings.ts";

type Input<R extends RequestName<ExcalidrawContract>> = RequestInput<ExcalidrawContract, R>;

export interface UpdateAnswer {
  readonly status: "updated" | "unchanged";
  readonly diagram_id: string;
  readonly version: number;
  readonly applied: number;
  readonly discarded: string[];
}

const UNTITLED = "Untitled";
/** Time between two looks for tombstones that are old enough to go, in milliseconds. */
const SWEEP_MS = 60_000;

/**
 * Inputs are those of the contract's requests, already checked against their schemas. Every method may throw a
 * `Refusal`. A `call` is handed on to `commit`, so that the answer is remembered with the change.
 */
export class ExcalidrawManager implements Manager {
  readonly #context: ManagerContext<ExcalidrawContract>;
  readonly #diagrams: Diagrams;
  readonly #drawings: Drawings;
  readonly #joins: Joins;
  readonly #presence: Presence;
  readonly #cursors: Cursors;
  readonly #ulid = monotonicFactory();
  readonly #users = new ActingUsers(
    () => this.#ulid(this.#now()),
    (connection) => this.#presence.isConnected(connection),
    ({ identity }) => this.#context.mayAccess(identity, "admin"),
  );
  readonly #stopSweeping: Cancel;

  /** Brings the tables up to date, and tells of the users whom an earlier process has left behind. */
  constructor(context: ManagerContext<ExcalidrawContract>) {
    const { database, clock, log } = context;
    migrate(database, SCHEMA_NAME, SCHEMA_STEPS);
    this.#context = context;
    const settings = v.parse(excalidrawSettings, context.settings);
    this.#diagrams = new Diagrams(database);
    this.#drawings = new Drawings(database, this.#diagrams, settings);
    this.#joins = new Joins(database);
    this.#cursors = new Cursors({
      clock,
      intervalMs: settings.cursor_interval_ms,
      most: settings.cursors,
      onError: (error) => log.error("A cursor's move could not be told", { error }),
    });
    this.#presence = new Presence({
      joins: this.#joins,
      clock,
      commit: (work) => context.commit((transaction) => void work(transaction)),
      settings,
      onLeft: (join) => this.#cursors.forget(cursorOf(join)),
      onError: (error) => log.error("Users could not be told to have left", { error }),
    });
    this.#presence.start();
    this.#stopSweeping = clock.every(SWEEP_MS, () => this.#sweep());
  }

  /** Make an empty diagram. Refused with CONFLICT where the id is taken, NOT_AVAILABLE where there are too many. */
  createDiagram(input: Input<"create_diagram">, call?: Call): DiagramHead {
    const id = this.#newDiagramId(input.diagram_id);
    const title = input.title?.toWellFormed() ?? UNTITLED;
    return this.#context.commit((transaction) => {
      return this.#drawings.create(transaction, { id, title, appState: EMPTY_APP_STATE }, this.#now());
    }, call);
  }

  /** Merge elements into a diagram, all or none. Refused with NOT_FOUND, INVALID_DATA or MESSAGE_TOO_LARGE. */
  updateDiagram(input: Input<"update_diagram">, call?: Call): UpdateAnswer {
    const { diagram_id } = input;
    const elements = checkElements(input.elements);
    const userId = this.#users.find(input.user_id, call);
    return this.#context.commit((transaction) => {
      const changed = this.#drawings.change(transaction, diagram_id, { userId, elements }, this.#now());
      if (userId !== null) this.#presence.renew(keyOf(diagram_id, userId, call));
      const { head: { version }, isChanged, applied, discarded } = changed;
      return { status: isChanged ? "updated" : "unchanged", diagram_id, version, applied, discarded };
    }, call);
  }

  /** A diagram with its elements. Refused with NOT_FOUND. */
  getDiagram({ diagram_id, include_deleted }: Input<"get_diagram">): Diagram {
    return this.#drawings.whole(this.#diagrams.require(diagram_id), { deleted: include_deleted === true });
  }

  /** A diagram without its elements, and who is in it; or `status: "not_found"`. */
  getDiagramStatus({ diagram_id }: Input<"get_diagram_status">) {
    const diagram = this.#diagrams.find(diagram_id);
    if (!diagram) return { diagram_id, status: "not_found" as const };
    return {
      diagram_id,
      status: "found" as const,
      diagram: { ...diagram, users: this.#joins.users(diagram_id) },
    };
  }

  /** Diagrams without their elements, newest first. */
  listDiagrams(
    input: Input<"list_diagrams"> = {},
  ): { diagrams: DiagramHead[]; next_cursor: string | null } {
    const page = this.#diagrams.list(input.cursor, input.limit ?? DEFAULT_LIST_LIMIT);
    return { diagrams: page.rows, next_cursor: page.next_cursor };
  }

  /**
   * Take over a file, as a new diagram or into one that is there. Refused with INVALID_DATA where it is no diagram,
   * CONFLICT where the id is taken, NOT_FOUND where there is nothing to merge it into.
   */
  importDiagram(input: Input<"import_diagram">, call?: Call) {
    const { content, document, merge } = input;
    const scene = readScene({
      ...content != null && { content },
      ...document != null && { document },
    });
    if (merge && input.diagram_id == null) {
      throw new Refusal(
        "INVALID_DATA",
        "Invalid field 'diagram_id': expected the diagram to merge into, got nothing",
      );
    }
    const userId = this.#users.find(input.user_id, call);
    const id = merge ? input.diagram_id! : this.#newDiagramId(input.diagram_id);
    const title = input.title?.toWellFormed() ?? UNTITLED;
    return this.#context.commit((transaction) => {
      const now = this.#now();
      if (!merge) this.#drawings.create(transaction, { id, title, appState: scene.appState }, now);
      const { head, applied, discarded } = this.#drawings.change(transaction, id, { userId, ...scene }, now);
      return { ...head, applied, discarded };
    }, call);
  }

  /** A diagram as a file. Refused with NOT_FOUND. */
  exportDiagram({ diagram_id }: Input<"export_diagram">) {
    const { title, elements, app_state, files } = this.getDiagram({ diagram_id });
    return {
      diagram_id,
      filename: filenameOf(title),
      document: writeScene({ elements, appState: app_state, files }),
    };
  }

  /** Say that a user is in a diagram. Refused with NOT_FOUND, FORBIDDEN, NOT_AVAILABLE or TOO_MANY_CHANNELS. */
  joinDiagram(input: Input<"join_diagram">, call?: Call): {
    status: "joined" | "unchanged";
    diagram_id: string;
    user_id: string;
    user_info: UserInfo;
    users: PresentUser[];
  } {
    const { diagram_id } = input;
    return this.#context.commit((transaction) => {
      this.#diagrams.require(diagram_id);
      const user_id = this.#requireUser(input.user_id, call);
      const given = {
        name: input.user_info?.name?.toWellFormed(),
        color: input.user_info?.color?.toWellFormed(),
      };
      const key = keyOf(diagram_id, user_id, call);
      const { user_info, isNew } = this.#presence.join(transaction, key, {
        name: given.name ?? null,
        color: given.color ?? null,
      });
      const status = isNew ? "joined" : "unchanged";
      return { status, diagram_id, user_id, user_info, users: this.#joins.users(diagram_id) };
    }, call);
  }

  /** Say that a user has left a diagram on this connection. Refused with NOT_FOUND or FORBIDDEN. */
  leaveDiagram(input: Input<"leave_diagram">, call?: Call): {
    status: "left" | "not_joined";
    diagram_id: string;
    user_id: string;
  } {
    const { diagram_id } = input;
    return this.#context.commit((transaction) => {
      this.#diagrams.require(diagram_id);
      const user_id = this.#requireUser(input.user_id, call);
      const hasLeft = this.#presence.leave(transaction, keyOf(diagram_id, user_id, call));
      return { status: hasLeft ? "left" : "not_joined", diagram_id, user_id };
    }, call);
  }

  /** Tell where a cursor is. Refused with NOT_FOUND, FORBIDDEN or RATE_LIMIT_EXCEEDED. */
  moveCursor(input: Input<"move_cursor">, call?: Call): {
    status: "moved" | "held";
    diagram_id: string;
    user_id: string;
  } {
    const { diagram_id, position } = input;
    this.#diagrams.require(diagram_id);
    const user_id = this.#requireUser(input.user_id, call);
    const key = keyOf(diagram_id, user_id, call);
    const isTold = this.#cursors.move(
      cursorOf(key),
      () => this.#context.publish("cursor.moved", { diagram_id, user_id, position }, call),
    );
    this.#presence.renew(key);
    return { status: isTold ? "moved" : "held", diagram_id, user_id };
  }

  onConnect(connectionId: string): void {
    this.#presence.connected(connectionId);
  }

  onDisconnect(connectionId: string): void {
    this.#users.forget(connectionId);
    this.#presence.disconnected(connectionId);
  }

  /** Figures of the service; with a `diagram_id`, the state of that diagram, or `status: "not_found"`. */
  getStatus(data: JsonObject): JsonObject {
    const id = data["diagram_id"];
    if (id == null) {
      const { total: joins } = this.#joins.counts(NO_CONNECTION, "");
      return { ...this.#diagrams.totals(), joins, cursors: this.#cursors.count };
    }
    if (typeof id !== "string") return { diagram_id: id, status: "not_found" };
    return this.getDiagramStatus({ diagram_id: id }) as unknown as JsonObject;
  }

  /** A diagram with its deleted elements, or who is in it; cursors are not kept. */
  snapshot(kind: string, id: string | null): JsonObject | null {
    if (id === null) return null;
    const diagram = this.#diagrams.find(id);
    if (!diagram) return null;
    if (kind === "diagram") return { ...this.#drawings.whole(diagram, { deleted: true }) };
    if (kind !== "presence") return null;
    return { diagram_id: id, users: this.#joins.users(id) } as unknown as JsonObject;
  }

  /** Those who have joined, whether or not they listen. */
  presence(kind: string, id: string | null): PresentUser[] | null {
    return kind === "presence" && id !== null ? this.#joins.users(id) : null;
  }

  stop(): void {
    this.#stopSweeping();
    this.#cursors.stop();
    this.#presence.stop();
  }

  #newDiagramId(given: string | null | undefined): string {
    if (given == null) return this.#ulid(this.#now());
    // The longest name of the three.
    const channel = parseChannel(this.#context.contract.channels, `presence:${given}`);
    if (channel.ok && !channel.wildcard) return given;
    const reason = channel.ok ? "'*' stands for all diagrams" : channel.reason;
    throw new Refusal(
      "INVALID_DATA",
      `Invalid field 'diagram_id': it cannot be part of a channel's name: ${reason}`,
    );
  }

  #requireUser(given: string | null | undefined, call: Call | undefined): string {
    return this.#users.require(given, call);
  }

  /** Let go of tombstones that are old enough. */
  #sweep(): void {
    try {
      this.#context.commit(() => this.#drawings.forgetDeleted(this.#now()));
    } catch (error) {
      this.#context.log.error("Deleted elements could not be let go of", { error });
    }
  }

  #now(): number {
    return this.#context.clock.now();
  }
}

function keyOf(diagram_id: string, user_id: string, call: Call | undefined): JoinKey {
  return { diagram_id, holder: call?.connectionId ?? NO_CONNECTION, user_id };
}

/** A user has one cursor in a diagram, on however many connections. */
function cursorOf({ diagram_id, user_id }: Omit<JoinKey, "holder">): string {
  return JSON.stringify([diagram_id, user_id]);
}
