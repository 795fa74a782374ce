/**
 * How far a workflow is: its stages and what follows from them. Knows no process and no database.
 *
 * @module
 */
import type { Definition, StageSpec } from "./definition.ts";
import type { Inputs } from "./inputs.ts";

export type StageStatus =
  | "pending"
  | "queued"
  | "running"
  | "completed"
  | "failed"
  | "timeout"
  | "cancelled"
  | "skipped";

export type WorkflowStatus = "pending" | "running" | "cancelling" | "completed" | "failed" | "cancelled";

export interface Stage {
  readonly spec: StageSpec;
  /** Place among the stages. */
  readonly position: number;
  status: StageStatus;
  attempts: number;
  exitCode: number | null;
  signal: string | null;
  durationMs: number | null;
  outputTail: string;
  workerId: string | null;
  startedAt: number | null;
  endedAt: number | null;
}

/** How an attempt at a stage ended. */
export interface AttemptEnd {
  readonly status: "completed" | "failed" | "timeout" | "cancelled";
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly durationMs: number;
}

/** How a workflow ended. */
export interface Outcome {
  readonly status: "completed" | "failed" | "cancelled";
  readonly error: string | null;
  readonly failedStage: string | null;
}

export function newStage(spec: StageSpec, position: number): Stage {
  return {
    spec,
    position,
    status: "pending",
    attempts: 0,
    exitCode: null,
    signal: null,
    durationMs: null,
    outputTail: "",
    workerId: null,
    startedAt: null,
    endedAt: null,
  };
}

export class WorkflowState {
  readonly id: string;
  readonly definition: Definition;
  readonly inputs: Inputs;
  readonly stages: readonly Stage[];
  readonly createdAt: number;
  /** Of the request that began it. A workflow that a later process takes up has none. */
  readonly traceparent: string | undefined;
  startedAt: number | null = null;
  status: WorkflowStatus;
  readonly #byName: ReadonlyMap<string, Stage>;

  constructor(init: {
    readonly id: string;
    readonly definition: Definition;
    readonly inputs: Inputs;
    readonly createdAt: number;
    readonly traceparent?: string | undefined;
    readonly startedAt?: number | null;
    readonly status?: WorkflowStatus;
    readonly stages?: readonly Stage[];
  }) {
    this.id = init.id;
    this.definition = init.definition;
    this.inputs = init.inputs;
    this.createdAt = init.createdAt;
    this.traceparent = init.traceparent;
    this.startedAt = init.startedAt ?? null;
    this.status = init.status ?? "pending";
    this.stages = init.stages ?? init.definition.stages.map(newStage);
    this.#byName = new Map(this.stages.map((stage) => [stage.spec.name, stage]));
  }

  /** Stages that are done. */
  get completed(): number {
    return this.stages.filter(isDone).length;
  }

  get isRunning(): boolean {
    return this.stages.some(({ status }) => status === "running");
  }

  /** Stages that wait for nothing but a worker, and are not in line yet. */
  ready(): Stage[] {
    if (this.status === "cancelling" || this.failure()) return [];
    return this.stages.filter(({ status, spec }) =>
      status === "pending" && spec.needs.every((need) => isDone(this.#byName.get(need)!))
    );
  }

  /** The stage that brings the workflow down, if there is one. */
  failure(): Stage | undefined {
    return this.stages.find((stage) =>
      (stage.status === "failed" || stage.status === "timeout") && !isDone(stage)
    );
  }

  /** Note how an attempt ended. True where the stage is to be tried again. */
  settle(stage: Stage, end: AttemptEnd): boolean {
    stage.exitCode = end.exitCode;
    stage.signal = end.signal;
    stage.durationMs = end.durationMs;
    const isOver = this.status === "cancelling" || this.failure() !== undefined;
    const again = !isOver && end.status !== "completed" && end.status !== "cancelled" &&
      stage.attempts <= stage.spec.retries;
    stage.status = again ? "queued" : end.status;
    return again;
  }

  /** How far the workflow is now. Returns the way back to it. */
  remember(): () => void {
    const status = this.status;
    const stages = this.stages.map((stage) => stage.status);
    return () => {
      this.status = status;
      for (const [index, stage] of this.stages.entries()) stage.status = stages[index]!;
    };
  }

  /** Put down what will not run any more. */
  skipRest(): void {
    for (const stage of this.stages) {
      if (stage.status === "pending" || stage.status === "queued") stage.status = "skipped";
    }
  }

  /** Null while it goes on. */
  outcome(): Outcome | null {
    if (this.isRunning) return null;
    if (this.status === "cancelling") return { status: "cancelled", error: "cancelled", failedStage: null };
    const failure = this.failure();
    if (failure) {
      return { status: "failed", error: describeFailure(failure), failedStage: failure.spec.name };
    }
    if (this.stages.every(isDone)) return { status: "completed", error: null, failedStage: null };
    return null;
  }
}

function isDone({ status, spec }: Stage): boolean {
  return status === "completed" || (spec.continueOnError && (status === "failed" || status === "timeout"));
}

function describeFailure({ spec, status, exitCode, signal, attempts, outputTail }: Stage): string {
  const times = attempts > 1 ? `, in ${attempts} attempts` : "";
  if (status === "timeout") return `Stage '${spec.name}' took longer than ${spec.timeoutMs} ms${times}`;
  if (signal !== null) return `Stage '${spec.name}' was ended by ${signal}${times}`;
  if (exitCode !== null) return `Stage '${spec.name}' exited with ${exitCode}${times}`;
  return `Stage '${spec.name}' could not be started${times}: ${outputTail.trim().split("\n").at(-1)}`;
}
