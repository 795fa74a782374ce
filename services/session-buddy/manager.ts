/**
 * Session-buddy: sessions with a versioned context, checkpoints of them, and a searchable store of what was learnt.
 *
 * Everything is kept in the service's database; every change and its event are one commit.
 *
 * @module
 */
import { monotonicFactory } from "ulid";
import * as v from "valibot";
import type { Call } from "../../src/ports/call.ts";
import { parseChannel } from "../../src/protocol/channel-name.ts";
import type { EventData, RequestInput, RequestName } from "../../src/protocol/contract.ts";
import { Refusal } from "../../src/protocol/errors.ts";
import { DEFAULT_LIST_LIMIT } from "../../src/protocol/fields.ts";
import type { JsonObject } from "../../src/protocol/json.ts";
import type { Manager, ManagerContext } from "../../src/service/define-service.ts";
import { migrate } from "../../src/storage/migrations.ts";
import type { SessionBuddyContract } from "./contract.ts";
import {
  type Checkpoint,
  type CheckpointRow,
  Checkpoints,
  type CheckpointWithContext,
} from "./domain/checkpoints.ts";
import { checkedContext, utf8Bytes } from "./domain/context.ts";
import { readGitState } from "./domain/git.ts";
import { Graph, namedEntities, type Neighbourhood } from "./domain/graph.ts";
import { type Hit, type Knowledge, KnowledgeItems } from "./domain/knowledge.ts";
import { applyMergePatch, diffMergePatch } from "./domain/merge-patch.ts";
import { SCHEMA_NAME, SCHEMA_STEPS } from "./domain/schema.ts";
import { sessionBuddySettings } from "./domain/settings.ts";
import { type Session, type SessionHead, Sessions } from "./domain/sessions.ts";
import { Turns } from "./domain/turns.ts";
import { DEFAULT_SEARCH_LIMIT, MAX_CONTENT_BYTES } from "./fields.ts";

type Input<R extends RequestName<SessionBuddyContract>> = RequestInput<SessionBuddyContract, R>;
/** How long a checkpoint waits for its turn to ask git. */
const GIT_PATIENCE_MS = 10_000;
/** Of more folders nothing is said. */
const MAX_DISTRUSTED = 100;

type SearchEvent = EventData<SessionBuddyContract, "knowledge.search_result">;

export interface SearchAnswer {
  query: string;
  /** The session that was searched; null for all. */
  session_id: string | null;
  count: number;
  results: Hit[];
  duration_ms: number;
}

/**
 * Inputs are those of the contract's requests, already checked against their schemas. Every method may throw a
 * `Refusal`. A `call` is handed on to `commit`, so that the answer is remembered with the change.
 */
export class SessionBuddyManager implements Manager {
  readonly #context: ManagerContext<SessionBuddyContract>;
  readonly #sessions: Sessions;
  readonly #checkpoints: Checkpoints;
  readonly #knowledge: KnowledgeItems;
  readonly #graph: Graph;
  /** Each turn has one git running. */
  readonly #gitTurns: Turns;
  /** Folders of which the log says already that git does not trust them. */
  readonly #distrusted = new Set<string>();
  readonly #ulid = monotonicFactory();

  /** Brings the tables up to date. */
  constructor(context: ManagerContext<SessionBuddyContract>) {
    const { database } = context;
    migrate(database, SCHEMA_NAME, SCHEMA_STEPS);
    this.#context = context;
    this.#sessions = new Sessions(database);
    this.#checkpoints = new Checkpoints(database);
    this.#knowledge = new KnowledgeItems(database);
    this.#graph = new Graph(database);
    const { git_at_once: atOnce } = v.parse(sessionBuddySettings, context.settings);
    this.#gitTurns = new Turns({ atOnce, patienceMs: GIT_PATIENCE_MS, clock: context.clock });
  }

  /**
   * Start a session, at version 1. Refused with CONFLICT where the id was ever used, with INVALID_DATA where it cannot
   * be part of a channel's name, `working_directory` is not an absolute path of an existing folder, or the context is
   * too large.
   */
  async startSession(input: Input<"start_session">, call?: Call): Promise<Session> {
    const folder = input.working_directory ?? null;
    if (input.session_id != null) this.#expectChannels(input.session_id);
    if (folder !== null) await this.#expectFolder(folder);
    // A patch of nothing: what is left is what later patches can bring about.
    const context = applyMergePatch({}, checkedContext(input.context ?? {}));
    return this.#context.commit((transaction) => {
      const now = this.#now();
      const session = this.#sessions.insert({
        session_id: input.session_id ?? this.#ulid(now),
        project: input.project,
        working_directory: folder,
        user: input.user ?? null,
        context,
      }, now);
      const { session_id, project, working_directory, user, version } = session;
      transaction.emit("session.created", {
        session_id,
        project,
        working_directory,
        user,
        context: session.context,
        version,
      });
      return session;
    }, call);
  }

  /**
   * Apply a merge patch to the context; always a new version, also where nothing differs. Refused with CONFLICT where
   * the session has ended or is not at `expected_version`.
   */
  updateSession(input: Input<"update_session">, call?: Call): Session {
    const patch = checkedContext(input.context);
    const { session_id, expected_version: expected } = input;
    return this.#context.commit((transaction) => {
      const now = this.#now();
      const before = this.#sessions.requireActive(session_id, now);
      if (expected != null && expected !== before.version) {
        throw new Refusal(
          "CONFLICT",
          `Session '${session_id}' is at version ${before.version}, expected ${expected}: read it and try again`,
        );
      }
      const session = this.#sessions.setContext(session_id, applyMergePatch(before.context, patch), now);
      transaction.emit("session.updated", { session_id, changes: patch, version: session.version });
      return session;
    }, call);
  }

  /** End a session for good. Refused with CONFLICT where it has ended already. */
  endSession(input: Input<"end_session">, call?: Call): Session {
    const { session_id } = input;
    return this.#context.commit((transaction) => {
      const now = this.#now();
      this.#sessions.requireActive(session_id, now);
      const session = this.#sessions.end(session_id, input.summary ?? null, now);
      const { summary, duration_seconds, checkpoints, knowledge_items } = session;
      transaction.emit("session.closed", {
        session_id,
        summary,
        duration_seconds,
        checkpoints,
        knowledge_items,
      });
      return session;
    }, call);
  }

  /** A session with its context. Refused with NOT_FOUND. */
  getSession(input: Input<"get_session">): Session {
    return this.#sessions.require(input.session_id, this.#now());
  }

  /** Sessions, newest first, without their contexts and with the beginnings of their summaries. */
  listSessions(input: Input<"list_sessions"> = {}): { sessions: SessionHead[]; next_cursor: string | null } {
    const { limit, cursor, ...filter } = input;
    const page = this.#sessions.list(filter, cursor, limit ?? DEFAULT_LIST_LIMIT, this.#now());
    return { sessions: page.rows, next_cursor: page.next_cursor };
  }

  #tellDistrust(folder: string): void {
    if (this.#distrusted.size >= MAX_DISTRUSTED || this.#distrusted.has(folder)) return;
    this.#distrusted.add(folder);
    this.#context.log.warn("git says nothing of a checkout that belongs to another user", {
      folder,
      advice:
        "make it known to git: git config --system --add safe.directory FOLDER, with the checkout's top folder",
    });
  }

  /**
   * Copy the context, and note the state of the git checkout that the session's folder is in. The state of git is read
   * before the commit; the context is that of the commit's moment. Where too many checkpoints are under way for git to
   * be asked in time, there is none.
   */
  async checkpointSession(input: Input<"checkpoint_session">, call?: Call): Promise<Checkpoint> {
    const { session_id } = input;
    const { working_directory: folder } = this.#sessions.requireActive(session_id, this.#now());
    const git = folder === null
      ? null
      : await this.#gitTurns.take(() =>
        readGitState(this.#context.processes, folder, () => this.#tellDistrust(folder))
      );
    return this.#context.commit((transaction) => {
      const now = this.#now();
      const session = this.#sessions.requireActive(session_id, now);
      const checkpoint = this.#checkpoints.insert(this.#ulid(now), session, {
        reason: input.reason ?? "manual_checkpoint",
        quality_score: input.quality_score ?? null,
        git,
      }, now);
      this.#sessions.countCheckpoint(session_id, now);
      const { created_at: _, ...data } = checkpoint;
      transaction.emit("session.checkpoint", data);
      return checkpoint;
    }, call);
  }

  /** Checkpoints of a session without their contexts, newest first. Refused with NOT_FOUND where there is no session. */
  listCheckpoints(
    input: Input<"list_checkpoints">,
  ): { checkpoints: CheckpointRow[]; next_cursor: string | null } {
    this.#sessions.require(input.session_id, this.#now());
    const page = this.#checkpoints.list(input.session_id, input.cursor, input.limit ?? DEFAULT_LIST_LIMIT);
    return { checkpoints: page.rows, next_cursor: page.next_cursor };
  }

  /** A checkpoint with its copy of the context. Refused with NOT_FOUND. */
  getCheckpoint(input: Input<"get_checkpoint">): CheckpointWithContext {
    return this.#checkpoints.require(input.checkpoint_id, input.session_id);
  }

  /** Make a checkpoint's context the next version of its session. Files of the checkout are left alone. */
  restoreCheckpoint(input: Input<"restore_checkpoint">, call?: Call): Session {
    return this.#context.commit((transaction) => {
      const now = this.#now();
      const { session_id, context } = this.#checkpoints.require(input.checkpoint_id, input.session_id);
      const before = this.#sessions.requireActive(session_id, now);
      const session = this.#sessions.setContext(session_id, context, now);
      transaction.emit("session.updated", {
        session_id,
        changes: diffMergePatch(before.context, context),
        version: session.version,
      });
      return session;
    }, call);
  }

  /** Keep a knowledge item, index it, and add its entities and relations to the graph. */
  captureKnowledge(input: Input<"capture_knowledge">, call?: Call): Knowledge {
    const content = input.content.toWellFormed();
    const bytes = utf8Bytes(content);
    if (bytes > MAX_CONTENT_BYTES) {
      throw new Refusal(
        "INVALID_DATA",
        `Invalid field 'content': ${bytes} bytes of UTF-8, expected at most ${MAX_CONTENT_BYTES}`,
      );
    }
    const relations = input.relations ?? [];
    const given = (input.entities ?? []).map((entity) =>
      typeof entity === "string"
        ? { name: entity, type: null }
        : { name: entity.name, type: entity.type ?? null }
    );
    return this.#context.commit((transaction) => {
      const now = this.#now();
      this.#sessions.requireActive(input.session_id, now);
      const knowledge = this.#knowledge.insert({
        knowledge_id: this.#ulid(now),
        session_id: input.session_id,
        kind: input.kind,
        content,
        topics: input.topics ?? [],
        confidence: input.confidence ?? null,
        entities: namedEntities(given, relations),
        relations,
      }, now);
      this.#graph.add(knowledge.entities, relations);
      this.#sessions.countKnowledge(input.session_id, now);
      const { created_at: _, ...data } = knowledge;
      transaction.emit("knowledge.captured", data);
      return knowledge;
    }, call);
  }

  /** A knowledge item in full. Refused with NOT_FOUND. */
  getKnowledge(input: Input<"get_knowledge">): Knowledge {
    return this.#knowledge.require(input.knowledge_id);
  }

  /**
   * Search contents, topics and names of entities. Tells the session that was searched, or, for a search in all of
   * them, each session that has a hit. Refused with NOT_FOUND where the session is unknown; no query is refused.
   */
  searchKnowledge(input: Input<"search_knowledge">, call?: Call): SearchAnswer {
    const started = this.#context.clock.monotonic();
    const { query } = input;
    const session_id = input.session_id ?? null;
    if (session_id !== null) this.#sessions.require(session_id, this.#now());
    const results = this.#knowledge.search(query, input, input.limit ?? DEFAULT_SEARCH_LIMIT);
    const duration_ms = Math.round((this.#context.clock.monotonic() - started) * 1000) / 1000;
    const told = session_id === null ? new Set(results.map((hit) => hit.session_id)) : [session_id];
    return this.#context.commit((transaction) => {
      for (const session of told) {
        const hits: SearchEvent["results"] = results.filter((hit) => hit.session_id === session)
          .map(({ session_id: _, ...hit }) => hit);
        transaction.emit("knowledge.search_result", {
          session_id: session,
          query,
          count: hits.length,
          results: hits,
          duration_ms,
        });
      }
      return { query, session_id, count: results.length, results, duration_ms };
    }, call);
  }

  /** Entities and relations around an entity. Refused with NOT_FOUND where no knowledge has named it. */
  queryGraph(input: Input<"query_graph">): Neighbourhood {
    return this.#graph.around(input.entity, input.depth ?? 1);
  }

  /** Figures of the service; with a `session_id`, the state of that session, or `status: "not_found"`. */
  getStatus(data: JsonObject): JsonObject {
    const id = data["session_id"];
    if (id === undefined || id === null) return this.#sessions.totals();
    const session = typeof id === "string" ? this.#sessions.find(id, this.#now()) : undefined;
    return session ? { ...session, status: session.state } : { session_id: id, status: "not_found" };
  }

  /** The session behind a channel `session:{session_id}`; the other kinds have no state of their own. */
  snapshot(kind: string, id: string | null): JsonObject | null {
    if (kind !== "session" || id === null) return null;
    const session = this.#sessions.find(id, this.#now());
    return session ? { ...session } : null;
  }

  #now(): number {
    return this.#context.clock.now();
  }

  #expectChannels(id: string): void {
    // The longest name of the three.
    const channel = parseChannel(this.#context.contract.channels, `checkpoint:${id}`);
    if (channel.ok && !channel.wildcard) return;
    const reason = channel.ok ? "'*' stands for all sessions" : channel.reason;
    throw new Refusal(
      "INVALID_DATA",
      `Invalid field 'session_id': it cannot be part of a channel's name: ${reason}`,
    );
  }

  async #expectFolder(path: string): Promise<void> {
    const refuse = (came: string): never => {
      throw new Refusal(
        "INVALID_DATA",
        `Invalid field 'working_directory': expected an absolute path of an existing folder, got '${path}', ${came}`,
      );
    };
    if (!/^(?:\/|[A-Za-z]:[\\/]|\\\\)/.test(path)) refuse("which is relative");
    const kind = await this.#context.files.kind(path).catch(() => "unreadable" as const);
    if (kind === "missing") refuse("which does not exist");
    if (kind === "file") refuse("which is a file");
    if (kind === "unreadable") refuse("which cannot be read");
  }
}
