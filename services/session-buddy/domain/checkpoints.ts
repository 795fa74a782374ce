/**
 * Checkpoints in the database.
 *
 * @module
 */
import type { Database, Statement } from "../../../src/ports/database.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { type Page, readPage } from "../../../src/storage/pages.ts";
import { readContext, readJson, writeContext } from "./context.ts";
import type { GitState } from "./git.ts";
import { isoTime, type Session } from "./sessions.ts";

export interface Checkpoint {
  readonly checkpoint_id: string;
  readonly session_id: string;
  readonly reason: string;
  readonly quality_score: number | null;
  readonly git: GitState | null;
  /** Version of the session whose context was copied. */
  readonly version: number;
  readonly created_at: string;
}

export interface CheckpointWithContext extends Checkpoint {
  readonly context: JsonObject;
}

/** A checkpoint as lists show it: without the dirty paths. */
export type CheckpointRow = Omit<Checkpoint, "git"> & { readonly git: Omit<GitState, "dirty"> | null };

interface StoredRow {
  number: number;
  checkpoint_id: string;
  session_id: string;
  reason: string;
  quality_score: number | null;
  git: string | null;
  version: number;
  created_at: number;
}

const COLUMNS = "number, checkpoint_id, session_id, reason, quality_score, git, version, created_at";

export class Checkpoints {
  readonly #insert: Statement;
  readonly #find: Statement;
  readonly #list: Statement;

  constructor(database: Database) {
    this.#insert = database.prepare(
      "INSERT INTO checkpoints (checkpoint_id, session_id, reason, quality_score, git, version, context, created_at) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#find = database.prepare(`SELECT ${COLUMNS}, context FROM checkpoints WHERE checkpoint_id = ?`);
    this.#list = database.prepare(
      `SELECT ${COLUMNS} FROM checkpoints WHERE number < ? AND session_id = ? ORDER BY number DESC LIMIT ?`,
    );
  }

  insert(
    id: string,
    session: Session,
    facts: { reason: string; quality_score: number | null; git: GitState | null },
    now: number,
  ): Checkpoint {
    const { session_id, version } = session;
    const git = facts.git && JSON.stringify(facts.git);
    const context = writeContext(session.context);
    this.#insert.run(id, session_id, facts.reason, facts.quality_score, git, version, context, now);
    return { checkpoint_id: id, session_id, ...facts, version, created_at: isoTime(now) };
  }

  /** @param sessionId where given, the checkpoint must be one of this session @throws {Refusal} NOT_FOUND */
  require(id: string, sessionId: string | null | undefined): CheckpointWithContext {
    const row = this.#find.get<StoredRow & { context: string }>(id);
    if (!row || (sessionId != null && row.session_id !== sessionId)) {
      const where = sessionId == null ? "" : ` in session '${sessionId}'`;
      throw new Refusal("NOT_FOUND", `No checkpoint '${id}'${where}`);
    }
    return { ...checkpoint(row), context: readContext(row.context) };
  }

  /** Newest first. */
  list(sessionId: string, cursor: string | null | undefined, limit: number): Page<CheckpointRow> {
    const page = readPage(
      "checkpoints",
      cursor,
      limit,
      (before, count) => this.#list.all<StoredRow>(before, sessionId, count),
    );
    return { ...page, rows: page.rows.map((row) => listed(checkpoint(row))) };
  }
}

function checkpoint(row: StoredRow): Checkpoint {
  return {
    checkpoint_id: row.checkpoint_id,
    session_id: row.session_id,
    reason: row.reason,
    quality_score: row.quality_score === null ? null : Number(row.quality_score),
    git: row.git === null ? null : readJson(row.git) as unknown as GitState,
    version: Number(row.version),
    created_at: isoTime(row.created_at),
  };
}

function listed(from: Checkpoint): CheckpointRow {
  if (from.git === null) return { ...from, git: null };
  const { branch, head, dirty_count } = from.git;
  return { ...from, git: { branch, head, dirty_count } };
}
