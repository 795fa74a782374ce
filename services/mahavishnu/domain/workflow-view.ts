/**
 * Workflows as they are answered, and their results as events tell them.
 *
 * @module
 */
import type { Definition } from "./definition.ts";
import { tailOf } from "./output.ts";
import type { Stage, StageStatus, WorkflowState, WorkflowStatus } from "./workflow-state.ts";

export interface WorkflowRow {
  number: number;
  workflow_id: string;
  definition: string;
  document: string;
  inputs: string;
  status: string;
  error: string | null;
  failed_stage: string | null;
  stages_completed: number;
  total_stages: number;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}

export interface StageRow {
  name: string;
  position: number;
  status: StageStatus;
  attempts: number;
  exit_code: number | null;
  signal: string | null;
  duration_ms: number | null;
  output_tail: string;
  worker_id: string | null;
  started_at: number | null;
  ended_at: number | null;
}

/** A workflow without its stages. Times are ISO 8601. */
export interface WorkflowHead {
  readonly workflow_id: string;
  readonly status: WorkflowStatus;
  readonly stages_completed: number;
  readonly total_stages: number;
  readonly progress: number;
  readonly definition: string;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly duration_seconds: number;
  readonly error: string | null;
  readonly failed_stage: string | null;
}

export interface StageResult {
  readonly status: StageStatus;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly duration_ms: number | null;
  readonly attempts: number;
  readonly output_tail: string;
}

export interface StageView extends Omit<StageResult, "output_tail"> {
  readonly name: string;
  readonly needs: string[];
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly worker_id: string | null;
}

export interface WorkflowView extends WorkflowHead {
  readonly stages: StageView[];
}

export interface WorkflowResult {
  readonly stages: ({ readonly name: string } & StageResult)[];
  readonly total_duration_ms: number;
}

/** Characters of all tails in the result of a workflow, so that it fits into a frame. */
const TAILS_LENGTH = 65_536;

export function headOf(row: WorkflowRow, now: number): WorkflowHead {
  const completed = Number(row.stages_completed);
  const total = Number(row.total_stages);
  return {
    workflow_id: row.workflow_id,
    status: row.status as WorkflowStatus,
    stages_completed: completed,
    total_stages: total,
    progress: Math.floor((100 * completed) / total),
    definition: row.definition,
    created_at: isoTime(row.created_at)!,
    started_at: isoTime(row.started_at),
    ended_at: isoTime(row.ended_at),
    // A wall clock that was set back must not give a negative one.
    duration_seconds: Math.max(0, Number(row.ended_at ?? now) - Number(row.created_at)) / 1_000,
    error: row.error,
    failed_stage: row.failed_stage,
  };
}

export function viewOf(row: WorkflowRow, stages: readonly StageRow[], now: number): WorkflowView {
  const specs = (JSON.parse(row.document) as Definition).stages;
  return {
    ...headOf(row, now),
    stages: stages.map((stage, index) => ({
      name: stage.name,
      needs: [...specs[index]?.needs ?? []],
      status: stage.status,
      exit_code: number(stage.exit_code),
      signal: stage.signal,
      duration_ms: number(stage.duration_ms),
      attempts: Number(stage.attempts),
      started_at: isoTime(stage.started_at),
      ended_at: isoTime(stage.ended_at),
      worker_id: stage.worker_id,
    })),
  };
}

export function stageResult(stage: Stage): StageResult {
  return {
    status: stage.status,
    exit_code: stage.exitCode,
    signal: stage.signal,
    duration_ms: stage.durationMs,
    attempts: stage.attempts,
    output_tail: stage.outputTail,
  };
}

export function workflowResult({ stages, createdAt }: WorkflowState, now: number): WorkflowResult {
  const share = Math.floor(TAILS_LENGTH / stages.length);
  return {
    stages: stages.map((stage) => ({
      name: stage.spec.name,
      ...stageResult(stage),
      output_tail: tailOf(stage.outputTail, Math.min(share, stage.outputTail.length)),
    })),
    total_duration_ms: Math.max(0, now - createdAt),
  };
}

/** A stored time as it is answered. */
function isoTime(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(Number(milliseconds)).toISOString();
}

function number(value: number | null): number | null {
  return value === null ? null : Number(value);
}
