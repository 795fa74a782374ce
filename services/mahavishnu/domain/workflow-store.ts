/**
 * Workflows and their stages in the database.
 *
 * @module
 */
import type { Database, Statement } from "../../../src/ports/database.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import { readPage } from "../../../src/storage/pages.ts";
import type { Definition } from "./definition.ts";
import type { Inputs } from "./inputs.ts";
import type { OutputText } from "./output.ts";
import {
  newStage,
  type Outcome,
  type Stage,
  type StageStatus,
  WorkflowState,
  type WorkflowStatus,
} from "./workflow-state.ts";
import {
  headOf,
  type StageRow,
  viewOf,
  type WorkflowHead,
  type WorkflowRow,
  type WorkflowView,
} from "./workflow-view.ts";

export interface StoredOutput extends OutputText {
  readonly status: StageStatus;
  readonly attempts: number;
}

export interface WorkflowFilter {
  readonly status?: string | null | undefined;
  readonly definition?: string | null | undefined;
}

const STAGE =
  "name, position, status, attempts, exit_code, signal, duration_ms, output_tail, worker_id, started_at, ended_at";
const UNFINISHED = "('pending', 'running', 'cancelling')";
const NUMBER_OF = "(SELECT number FROM workflows WHERE workflow_id = ?)";

export class WorkflowStore {
  readonly #insert: Statement;
  readonly #insertStage: Statement;
  readonly #saveWorkflow: Statement;
  readonly #saveStage: Statement;
  readonly #saveOutput: Statement;
  readonly #find: Statement;
  readonly #stages: Statement;
  readonly #output: Statement;
  readonly #unfinished: Statement;
  readonly #list: Statement;
  readonly #old: Statement;
  readonly #deleteStages: Statement;
  readonly #delete: Statement;
  readonly #totals: Statement;

  constructor(database: Database) {
    const prepare = (sql: string) => database.prepare(sql);
    this.#insert = prepare(
      "INSERT INTO workflows (workflow_id, definition, document, inputs, status, total_stages, created_at) " +
        "VALUES (?, ?, ?, ?, 'pending', ?, ?) ON CONFLICT (workflow_id) DO NOTHING",
    );
    this.#insertStage = prepare(
      `INSERT INTO stages (workflow, position, name, status) VALUES (${NUMBER_OF}, ?, ?, 'pending')`,
    );
    this.#saveWorkflow = prepare(
      "UPDATE workflows SET status = ?, error = ?, failed_stage = ?, stages_completed = ?, started_at = ?, ended_at = ? " +
        "WHERE workflow_id = ?",
    );
    this.#saveStage = prepare(
      "UPDATE stages SET status = ?, attempts = ?, exit_code = ?, signal = ?, duration_ms = ?, output_tail = ?, " +
        `worker_id = ?, started_at = ?, ended_at = ? WHERE workflow = ${NUMBER_OF} AND position = ?`,
    );
    this.#saveOutput = prepare(
      `UPDATE stages SET output = ?, total_bytes = ?, omitted_bytes = ? WHERE workflow = ${NUMBER_OF} AND position = ?`,
    );
    this.#find = prepare("SELECT * FROM workflows WHERE workflow_id = ?");
    this.#stages = prepare(`SELECT ${STAGE} FROM stages WHERE workflow = ? ORDER BY position`);
    this.#output = prepare(
      `SELECT status, attempts, output, total_bytes, omitted_bytes FROM stages WHERE workflow = ${NUMBER_OF} AND name = ?`,
    );
    this.#unfinished = prepare(`SELECT * FROM workflows WHERE status IN ${UNFINISHED} ORDER BY number`);
    this.#list = prepare(
      "SELECT * FROM workflows WHERE number < ? AND (? IS NULL OR status = ?) AND (? IS NULL OR definition = ?) " +
        "ORDER BY number DESC LIMIT ?",
    );
    this.#old = prepare(
      `SELECT number FROM workflows WHERE status NOT IN ${UNFINISHED} ORDER BY number DESC LIMIT 100 OFFSET ?`,
    );
    this.#deleteStages = prepare("DELETE FROM stages WHERE workflow = ?");
    this.#delete = prepare("DELETE FROM workflows WHERE number = ?");
    this.#totals = prepare("SELECT status, count(*) AS count FROM workflows GROUP BY status");
  }

  /** @throws {Refusal} CONFLICT where there is one of this id */
  insert(state: WorkflowState): void {
    const { id, definition, inputs, stages, createdAt } = state;
    const document = JSON.stringify(definition);
    const added = this.#insert.run(
      id,
      definition.name,
      document,
      JSON.stringify(inputs),
      stages.length,
      createdAt,
    );
    if (added === 0) {
      throw new Refusal("CONFLICT", `Workflow '${id}' exists already: choose another id, or leave it out`);
    }
    for (const { position, spec } of stages) this.#insertStage.run(id, position, spec.name);
  }

  saveWorkflow(state: WorkflowState, outcome: Outcome | null = null, endedAt: number | null = null): void {
    this.#saveWorkflow.run(
      state.status,
      outcome?.error ?? null,
      outcome?.failedStage ?? null,
      state.completed,
      state.startedAt,
      endedAt,
      state.id,
    );
  }

  saveStage({ id }: WorkflowState, stage: Stage, output: OutputText | null = null): void {
    const { status, attempts, exitCode, signal, durationMs, outputTail, workerId, startedAt, endedAt } =
      stage;
    this.#saveStage.run(
      status,
      attempts,
      exitCode,
      signal,
      durationMs,
      outputTail,
      workerId,
      startedAt,
      endedAt,
      id,
      stage.position,
    );
    if (output) this.#saveOutput.run(output.text, output.totalBytes, output.omittedBytes, id, stage.position);
  }

  /** Forget the oldest that have ended, but for `kept`. */
  trim(kept: number): void {
    for (const { number } of this.#old.all<{ number: number | bigint }>(kept)) {
      this.#deleteStages.run(number);
      this.#delete.run(number);
    }
  }

  find(id: string, now: number): WorkflowView | undefined {
    const row = this.#find.get<WorkflowRow>(id);
    return row && viewOf(row, this.#stages.all<StageRow>(row.number), now);
  }

  /** @throws {Refusal} NOT_FOUND */
  require(id: string, now: number): WorkflowView {
    const view = this.find(id, now);
    if (!view) throw new Refusal("NOT_FOUND", `No workflow '${id}'`);
    return view;
  }

  output(id: string, stage: string): StoredOutput | undefined {
    const row = this.#output.get<
      Record<"attempts" | "total_bytes" | "omitted_bytes", number> & {
        status: StageStatus;
        output: string;
      }
    >(id, stage);
    return row && {
      status: row.status,
      attempts: Number(row.attempts),
      text: row.output,
      totalBytes: Number(row.total_bytes),
      omittedBytes: Number(row.omitted_bytes),
    };
  }

  /** Newest first. */
  list(
    filter: WorkflowFilter,
    cursor: string | null | undefined,
    limit: number,
    now: number,
  ): { workflows: WorkflowHead[]; next_cursor: string | null } {
    const { status = null, definition = null } = filter;
    const page = readPage(
      "workflows",
      cursor,
      limit,
      (before, count) => this.#list.all<WorkflowRow>(before, status, status, definition, definition, count),
    );
    return { workflows: page.rows.map((row) => headOf(row, now)), next_cursor: page.next_cursor };
  }

  /** Workflows that have not ended, oldest first. */
  unfinished(): WorkflowState[] {
    return this.#unfinished.all<WorkflowRow>().map((row) => {
      const definition = JSON.parse(row.document) as Definition;
      const rows = this.#stages.all<StageRow>(row.number);
      return new WorkflowState({
        id: row.workflow_id,
        definition,
        inputs: JSON.parse(row.inputs) as Inputs,
        createdAt: Number(row.created_at),
        startedAt: row.started_at === null ? null : Number(row.started_at),
        status: row.status as WorkflowStatus,
        stages: definition.stages.map((spec, position) =>
          restored(newStage(spec, position), rows[position]!)
        ),
      });
    });
  }

  /** How many workflows there are of each status. */
  totals(): Record<string, number> {
    const rows = this.#totals.all<{ status: string; count: number }>();
    return Object.fromEntries(rows.map(({ status, count }) => [status, Number(count)]));
  }
}

function restored(stage: Stage, row: StageRow): Stage {
  const number = (value: number | null) => value === null ? null : Number(value);
  return Object.assign(stage, {
    status: row.status,
    attempts: Number(row.attempts),
    exitCode: number(row.exit_code),
    signal: row.signal,
    durationMs: number(row.duration_ms),
    outputTail: row.output_tail,
    workerId: row.worker_id,
    startedAt: number(row.started_at),
    endedAt: number(row.ended_at),
  });
}
