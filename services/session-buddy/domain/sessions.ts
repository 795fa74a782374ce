/**
 * Sessions in the database.
 *
 * @module
 */
import type { Database, Statement } from "../../../src/ports/database.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { type Page, readPage } from "../../../src/storage/pages.ts";
import { readContext, writeContext } from "./context.ts";
import { shortened } from "./excerpt.ts";
import { type Filter, FilteredQuery } from "./filtered-query.ts";

export type SessionState = "active" | "ended";

/** A session without its context. Times are ISO 8601. */
export interface SessionHead {
  readonly session_id: string;
  readonly project: string;
  readonly working_directory: string | null;
  readonly user: string | null;
  readonly version: number;
  readonly state: SessionState;
  readonly summary: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly ended_at: string | null;
  readonly duration_seconds: number;
  readonly checkpoints: number;
  readonly knowledge_items: number;
}

export interface Session extends SessionHead {
  readonly context: JsonObject;
}

export interface NewSession {
  readonly session_id: string;
  readonly project: string;
  readonly working_directory: string | null;
  readonly user: string | null;
  readonly context: JsonObject;
}

interface HeadRow {
  number: number;
  session_id: string;
  project: string;
  working_directory: string | null;
  user: string | null;
  version: number;
  state: SessionState;
  summary: string | null;
  created_at: number;
  updated_at: number;
  ended_at: number | null;
  checkpoints: number;
  knowledge_items: number;
}

const HEAD = "number, session_id, project, working_directory, user, version, state, summary, created_at, " +
  "updated_at, ended_at, checkpoints, knowledge_items";

/** In UTF-16 units. A page of whole summaries might not fit into a frame. */
const MAX_LISTED_SUMMARY_LENGTH = 200;

export class Sessions {
  readonly #insert: Statement;
  readonly #find: Statement;
  readonly #setContext: Statement;
  readonly #end: Statement;
  readonly #addCheckpoint: Statement;
  readonly #addKnowledge: Statement;
  readonly #totals: Statement;
  readonly #list: FilteredQuery<"project" | "state">;

  constructor(database: Database) {
    this.#insert = database.prepare(
      "INSERT INTO sessions (session_id, project, working_directory, user, context, version, state, created_at, " +
        "updated_at) VALUES (?, ?, ?, ?, ?, 1, 'active', ?, ?) ON CONFLICT (session_id) DO NOTHING",
    );
    this.#find = database.prepare(`SELECT ${HEAD}, context FROM sessions WHERE session_id = ?`);
    this.#setContext = database.prepare(
      "UPDATE sessions SET context = ?, version = version + 1, updated_at = ? WHERE session_id = ?",
    );
    this.#end = database.prepare(
      "UPDATE sessions SET state = 'ended', summary = ?, ended_at = ?, updated_at = ? WHERE session_id = ?",
    );
    this.#addCheckpoint = database.prepare(
      "UPDATE sessions SET checkpoints = checkpoints + 1, updated_at = ? WHERE session_id = ?",
    );
    this.#addKnowledge = database.prepare(
      "UPDATE sessions SET knowledge_items = knowledge_items + 1, updated_at = ? WHERE session_id = ?",
    );
    this.#totals = database.prepare(
      "SELECT (SELECT count(*) FROM sessions WHERE state = 'active') AS active, " +
        "(SELECT count(*) FROM sessions) AS total, (SELECT count(*) FROM checkpoints) AS checkpoints, " +
        "(SELECT count(*) FROM knowledge) AS knowledge",
    );
    this.#list = new FilteredQuery(
      database,
      ["project", "state"],
      (conditions) =>
        `SELECT ${HEAD} FROM sessions WHERE number < ? ${conditions}ORDER BY number DESC LIMIT ?`,
    );
  }

  /** @throws {Refusal} CONFLICT where the id was ever used; INVALID_DATA where the context is too large */
  insert(session: NewSession, now: number): Session {
    const { session_id, project, working_directory, user } = session;
    const context = writeContext(session.context);
    const added = this.#insert.run(session_id, project, working_directory, user, context, now, now);
    if (added === 0) {
      throw new Refusal(
        "CONFLICT",
        `Session '${session_id}' exists already: choose another id, or leave it out`,
      );
    }
    return this.require(session_id, now);
  }

  find(id: string, now: number): Session | undefined {
    const row = this.#find.get<HeadRow & { context: string }>(id);
    return row && { ...head(row, now), context: readContext(row.context) };
  }

  /** @throws {Refusal} NOT_FOUND */
  require(id: string, now: number): Session {
    const session = this.find(id, now);
    if (!session) throw new Refusal("NOT_FOUND", `No session '${id}'`);
    return session;
  }

  /** @throws {Refusal} NOT_FOUND, and CONFLICT where the session has ended */
  requireActive(id: string, now: number): Session {
    const session = this.require(id, now);
    if (session.state === "active") return session;
    throw new Refusal(
      "CONFLICT",
      `Session '${id}' ended at ${session.ended_at} and takes no more changes: start a new session`,
    );
  }

  /** Make `context` the next version. @throws {Refusal} INVALID_DATA where it is too large */
  setContext(id: string, context: JsonObject, now: number): Session {
    this.#setContext.run(writeContext(context), now, id);
    return this.require(id, now);
  }

  end(id: string, summary: string | null, now: number): Session {
    this.#end.run(summary, now, now, id);
    return this.require(id, now);
  }

  countCheckpoint(id: string, now: number): void {
    this.#addCheckpoint.run(now, id);
  }

  countKnowledge(id: string, now: number): void {
    this.#addKnowledge.run(now, id);
  }

  /** Newest first, with the beginnings of their summaries. */
  list(
    filter: Filter<"project" | "state">,
    cursor: string | null | undefined,
    limit: number,
    now: number,
  ): Page<SessionHead> {
    const page = readPage(
      "sessions",
      cursor,
      limit,
      (before, count) => this.#list.all<HeadRow>([before], filter, [count]),
    );
    const rows = page.rows.map((row) => ({
      ...head(row, now),
      summary: row.summary && shortened(row.summary, MAX_LISTED_SUMMARY_LENGTH),
    }));
    return { ...page, rows };
  }

  totals(): {
    sessions_active: number;
    sessions_total: number;
    checkpoints: number;
    knowledge_items: number;
  } {
    const row = this.#totals.get<Record<"active" | "total" | "checkpoints" | "knowledge", number>>();
    return {
      sessions_active: Number(row?.active ?? 0),
      sessions_total: Number(row?.total ?? 0),
      checkpoints: Number(row?.checkpoints ?? 0),
      knowledge_items: Number(row?.knowledge ?? 0),
    };
  }
}

/** A stored time as it is answered. */
export function isoTime(milliseconds: number): string {
  return new Date(Number(milliseconds)).toISOString();
}

function head(row: HeadRow, now: number): SessionHead {
  const end = row.ended_at ?? now;
  return {
    session_id: row.session_id,
    project: row.project,
    working_directory: row.working_directory,
    user: row.user,
    version: Number(row.version),
    state: row.state,
    summary: row.summary,
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
    ended_at: row.ended_at === null ? null : isoTime(row.ended_at),
    // A wall clock that was set back must not give a negative one.
    duration_seconds: Math.max(0, Number(end) - Number(row.created_at)) / 1000,
    checkpoints: Number(row.checkpoints),
    knowledge_items: Number(row.knowledge_items),
  };
}
