/**
 * Runs in the database, with the failures of each.
 *
 * @module
 */
import type { Database, Statement } from "../../../src/ports/database.ts";
import type { ProcessMark } from "../../../src/ports/processes.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import type { Failure } from "./test-sink.ts";

export const OUTCOMES = ["passed", "failed", "cancelled", "crashed"] as const;
export type Outcome = (typeof OUTCOMES)[number];
export const STATUSES = ["queued", "running", "cancelling", ...OUTCOMES] as const;
export type RunStatus = (typeof STATUSES)[number];

/** What has been counted so far. `failed` includes `errors`, and these what is no test, which `done` does not. */
export interface Counts {
  readonly total: number | null;
  readonly done: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly errors: number;
}

export interface NewRun {
  readonly run_id: string;
  readonly project: string;
  readonly test_suite: string;
  readonly command: readonly string[];
  /** The command as the caller gave it; null for that of the project. */
  readonly given: readonly string[] | null;
  readonly filter: string | null;
}

/** A run as it is stored. Times are milliseconds since the Unix epoch. */
export interface Run extends NewRun, Counts {
  readonly number: number;
  readonly status: RunStatus;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly error: string | null;
  readonly output_tail: string;
  readonly queued_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly duration_seconds: number | null;
  readonly mark: ProcessMark | null;
  readonly folder: string | null;
}

/** How a run ended. */
export interface RunEnd extends Counts {
  readonly outcome: Outcome;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly error: string | null;
  readonly output_tail: string;
  readonly duration_seconds: number;
}

type Row = { [Key in keyof Run]: Run[Key] extends number ? number : unknown } & Record<string, unknown>;

/** Rows of a list are asked for by these. */
export interface RunFilter {
  readonly project?: string | null | undefined;
  readonly status?: RunStatus | null | undefined;
}

export class Runs {
  readonly #statements: Record<
    | "insert"
    | "find"
    | "start"
    | "mark"
    | "count"
    | "cancelling"
    | "end"
    | "waiting"
    | "open"
    | "list"
    | "addFailure"
    | "failures"
    | "prune"
    | "pruneFailures"
    | "last"
    | "totals",
    Statement
  >;

  constructor(database: Database) {
    const prepare = (sql: string) => database.prepare(sql);
    const old = "SELECT run_id FROM runs WHERE ended_at IS NOT NULL ORDER BY number DESC LIMIT -1 OFFSET ?";
    this.#statements = {
      insert: prepare(
        "INSERT INTO runs (run_id, project, status, test_suite, command, given, filter, queued_at) " +
          "VALUES (?, ?, 'queued', ?, ?, ?, ?, ?)",
      ),
      find: prepare("SELECT * FROM runs WHERE run_id = ?"),
      start: prepare("UPDATE runs SET status = 'running', started_at = ? WHERE run_id = ?"),
      mark: prepare("UPDATE runs SET mark = ?, folder = ? WHERE run_id = ?"),
      count: prepare(
        "UPDATE runs SET total = ?, done = ?, passed = ?, failed = ?, skipped = ?, errors = ? WHERE run_id = ?",
      ),
      cancelling: prepare("UPDATE runs SET status = 'cancelling' WHERE run_id = ?"),
      end: prepare(
        "UPDATE runs SET status = ?, exit_code = ?, signal = ?, error = ?, output_tail = ?, duration_seconds = ?, " +
          "ended_at = ?, mark = NULL, folder = NULL WHERE run_id = ?",
      ),
      waiting: prepare("SELECT * FROM runs WHERE status = 'queued' ORDER BY number"),
      open: prepare("SELECT * FROM runs WHERE status IN ('running', 'cancelling') ORDER BY number"),
      list: prepare(
        "SELECT * FROM runs WHERE number < ?1 AND (?2 IS NULL OR project = ?2) AND (?3 IS NULL OR status = ?3) " +
          "ORDER BY number DESC LIMIT ?4",
      ),
      addFailure: prepare(
        "INSERT INTO failures (run_id, test_name, file, error, traceback) VALUES (?, ?, ?, ?, ?)",
      ),
      failures: prepare(
        "SELECT test_name, file, error, traceback FROM failures WHERE run_id = ? ORDER BY number LIMIT ?",
      ),
      pruneFailures: prepare(`DELETE FROM failures WHERE run_id IN (${old})`),
      prune: prepare(`DELETE FROM runs WHERE run_id IN (${old})`),
      last: prepare(
        "SELECT * FROM runs WHERE project = ? AND status IN ('passed', 'failed', 'crashed') " +
          "AND filter IS NULL AND given IS NULL " +
          "ORDER BY number DESC LIMIT 1",
      ),
      totals: prepare("SELECT status, count(*) AS runs FROM runs GROUP BY status"),
    };
  }

  insert(run: NewRun, now: number): Run {
    this.#statements.insert.run(
      run.run_id,
      run.project,
      run.test_suite,
      JSON.stringify(run.command),
      run.given && JSON.stringify(run.given),
      run.filter,
      now,
    );
    return this.require(run.run_id);
  }

  find(id: string): Run | undefined {
    const row = this.#statements.find.get<Row>(id);
    return row && runOf(row);
  }

  /** @throws {Refusal} NOT_FOUND */
  require(id: string): Run {
    const run = this.find(id);
    if (!run) throw new Refusal("NOT_FOUND", `No run '${id}'`);
    return run;
  }

  start(id: string, now: number): Run {
    this.#statements.start.run(now, id);
    return this.require(id);
  }

  /** Note what is to be ended and removed if this process dies. */
  setMark(id: string, mark: ProcessMark | null, folder: string): void {
    this.#statements.mark.run(mark && JSON.stringify(mark), folder, id);
  }

  setCounts(id: string, { total, done, passed, failed, skipped, errors }: Counts): void {
    this.#statements.count.run(total, done, passed, failed, skipped, errors, id);
  }

  setCancelling(id: string): Run {
    this.#statements.cancelling.run(id);
    return this.require(id);
  }

  end(id: string, end: RunEnd, now: number): Run {
    this.setCounts(id, end);
    this.#statements.end.run(
      end.outcome,
      end.exit_code,
      end.signal,
      end.error,
      end.output_tail,
      end.duration_seconds,
      now,
      id,
    );
    return this.require(id);
  }

  /** Runs that wait, oldest first. */
  waiting(): Run[] {
    return this.#statements.waiting.all<Row>().map(runOf);
  }

  /** Runs that were started and have not ended. */
  open(): Run[] {
    return this.#statements.open.all<Row>().map(runOf);
  }

  /** Newest first, with numbers below `before`. */
  list({ project, status }: RunFilter, before: number, count: number): Run[] {
    return this.#statements.list.all<Row>(before, project ?? null, status ?? null, count).map(runOf);
  }

  addFailure(id: string, { test_name, file, error, traceback }: Failure): void {
    this.#statements.addFailure.run(id, test_name, file, error, traceback);
  }

  /** The first failures of a run. */
  failures(id: string, count: number): Failure[] {
    return this.#statements.failures.all<Failure>(id, count).map((row) => ({ ...row }));
  }

  /** Keep the newest `keep` of the runs that have ended. */
  prune(keep: number): void {
    this.#statements.pruneFailures.run(keep);
    this.#statements.prune.run(keep);
  }

  /** The project's last run of all its tests that came to an end by itself. */
  last(project: string): Run | null {
    const row = this.#statements.last.get<Row>(project);
    return row ? runOf(row) : null;
  }

  /** How many runs there are of each status. */
  totals(): Record<string, number> {
    const rows = this.#statements.totals.all<{ status: string; runs: number }>();
    return Object.fromEntries(rows.map(({ status, runs }) => [status, Number(runs)]));
  }
}

function runOf(row: Row): Run {
  const number = (value: unknown) => value === null || value === undefined ? null : Number(value);
  const json = (value: unknown) => typeof value === "string" ? JSON.parse(value) : null;
  return {
    ...row as unknown as Run,
    number: Number(row.number),
    command: json(row.command),
    given: json(row.given),
    mark: json(row.mark),
    total: number(row.total),
    done: Number(row.done),
    passed: Number(row.passed),
    failed: Number(row.failed),
    skipped: Number(row.skipped),
    errors: Number(row.errors),
    exit_code: number(row.exit_code),
    queued_at: Number(row.queued_at),
    started_at: number(row.started_at),
    ended_at: number(row.ended_at),
  };
}
