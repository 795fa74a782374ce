/**
 * Brings workflows to their ends: hands stages that need nothing more to their pools, and follows from how they end.
 *
 * What happens to a workflow is committed before anything follows from it. A commit that fails leaves the workflow as the
 * database has it, for the next start of the service.
 *
 * @module
 */
import { type Call, laterCall } from "../../../src/ports/call.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { Log } from "../../../src/ports/log.ts";
import type { Processes, ProcessMark } from "../../../src/ports/processes.ts";
import type { Commit, Transaction } from "../../../src/service/define-service.ts";
import { WITHOUT_SECRETS } from "../../../src/protocol/secret-variables.ts";
import type { MahavishnuContract } from "../contract.ts";
import { Attempt } from "./attempt.ts";
import type { ChildMarks } from "./child-marks.ts";
import { environmentOf } from "./inputs.ts";
import { type OutputText, tailOf } from "./output.ts";
import type { Worker } from "./pool.ts";
import type { Pools } from "./pools.ts";
import type { AttemptEnd, Outcome, Stage, WorkflowState } from "./workflow-state.ts";
import type { WorkflowStore } from "./workflow-store.ts";
import { stageResult, workflowResult } from "./workflow-view.ts";

type Said = Transaction<MahavishnuContract>;

export interface SchedulerOptions {
  readonly commit: Commit<MahavishnuContract>;
  readonly store: WorkflowStore;
  readonly marks: ChildMarks;
  readonly pools: Pools;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly log: Log;
  /** Where stages run, and what their own folders count from. */
  readonly folderOf: (folder: string | null) => string;
  readonly outputBytes: number;
  readonly graceMs: number;
  /** Workflows that are kept when they have ended. */
  readonly kept: number;
}

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #active = new Map<string, WorkflowState>();
  readonly #attempts = new Map<Stage, Attempt>();
  /** What is under way, so that a stop can wait for it. */
  readonly #working = new Set<Promise<void>>();
  #stopping = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  get activeCount(): number {
    return this.#active.size;
  }

  isActive(id: string): boolean {
    return this.#active.has(id);
  }

  /** Take up a workflow that the store holds already. */
  start(state: WorkflowState): void {
    this.#active.set(state.id, state);
    try {
      this.#enqueue(state);
    } catch (error) {
      this.#leave(state, error);
    }
  }

  /**
   * Put down a workflow that is under way. Where none of its stages runs this is its end; otherwise its processes are
   * ended, and its end follows.
   */
  cancel<T>(id: string, answer: () => T, call?: Call): T {
    const { commit, store } = this.#options;
    const state = this.#active.get(id)!;
    const undo = state.remember();
    state.status = "cancelling";
    let answered: T;
    try {
      answered = commit((transaction) => {
        if (!this.#finish(transaction, state)) store.saveWorkflow(state);
        return answer();
      }, call);
    } catch (error) {
      undo();
      throw error;
    }
    this.#follow(state);
    return answered;
  }

  /** What is under way of a stage's output; undefined where it does not run. */
  liveOutput(id: string, name: string): { stage: Stage; output: OutputText } | undefined {
    const stage = this.#active.get(id)?.stages.find(({ spec }) => spec.name === name);
    const attempt = stage && this.#attempts.get(stage);
    return attempt && { stage, output: attempt.output.read() };
  }

  /** End all processes and start no more. Workflows stay as they are, for the next start. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#options.pools.stop();
    for (const attempt of this.#attempts.values()) attempt.stop("cancelled");
    await Promise.all(this.#working);
  }

  /** End a workflow that nothing is under way of, in the transaction. False where it is to go on. */
  #finish(transaction: Said, state: WorkflowState): boolean {
    const outcome = state.outcome();
    if (outcome) this.end(transaction, state, outcome);
    return outcome !== null;
  }

  /** Note and tell a workflow's end, in the transaction. */
  end(transaction: Said, state: WorkflowState, outcome: Outcome): void {
    const { store, clock, kept } = this.#options;
    const now = clock.now();
    state.skipRest();
    state.status = outcome.status;
    for (const stage of state.stages) if (stage.status === "skipped") store.saveStage(state, stage);
    store.saveWorkflow(state, outcome, now);
    store.trim(kept);
    const result = workflowResult(state, now);
    if (outcome.status === "completed") {
      transaction.emit("workflow.completed", { workflow_id: state.id, result });
      return;
    }
    transaction.emit("workflow.failed", {
      workflow_id: state.id,
      error: outcome.error ?? "unknown",
      failed_stage: outcome.failedStage,
      result,
    });
  }

  /** Let go of a workflow that could not be written. */
  #leave(state: WorkflowState, error: unknown): void {
    this.#active.delete(state.id);
    this.#options.log.error("A workflow is left as it is until the next start", {
      workflow: state.id,
      error,
    });
    this.#endRest(state);
  }

  /** What follows from a workflow's state when it has been committed. */
  #follow(state: WorkflowState): void {
    if (this.#stopping) return;
    const isOver = !["pending", "running", "cancelling"].includes(state.status);
    if (isOver) this.#active.delete(state.id);
    if (isOver || state.status === "cancelling" || state.failure()) {
      this.#endRest(state);
    } else this.#enqueue(state);
  }

  /** Take back what waits, and end what runs. */
  #endRest(state: WorkflowState): void {
    const { pools } = this.#options;
    for (const pool of new Set(state.definition.stages.map(({ pool }) => pools.pool(pool)))) {
      pool.drop(state.id);
    }
    for (const stage of state.stages) this.#attempts.get(stage)?.stop("cancelled");
  }

  #enqueue(state: WorkflowState): void {
    const { commit, store } = this.#options;
    const stages = state.ready();
    if (stages.length === 0) return;
    for (const stage of stages) stage.status = "queued";
    commit(() => {
      for (const stage of stages) store.saveStage(state, stage);
    });
    for (const stage of stages) this.#addJob(state, stage);
  }

  #addJob(state: WorkflowState, stage: Stage): void {
    this.#options.pools.pool(stage.spec.pool).add({
      owner: state.id,
      task: () => ({ workflow_id: state.id, stage_name: stage.spec.name, attempt: stage.attempts + 1 }),
      work: (worker) => this.#work(state, stage, worker),
    });
  }

  /** Do a stage's next attempt. Returns what follows when the worker is free. */
  async #work(state: WorkflowState, stage: Stage, worker: Worker): Promise<() => void> {
    // Its workflow may have been put down in this moment.
    const isWanted = stage.status === "queued" && state.status !== "cancelling" && !state.failure() &&
      this.#active.has(state.id);
    if (!isWanted || this.#stopping) return () => {};
    const work = this.#try(state, stage, worker).catch((error) => this.#leave(state, error));
    this.#working.add(work);
    await work;
    this.#working.delete(work);
    return () => this.#goOn(state, stage);
  }

  #goOn(state: WorkflowState, stage: Stage): void {
    if (!this.#active.has(state.id)) return;
    try {
      if (stage.status === "queued") this.#addJob(state, stage);
      this.#follow(state);
    } catch (error) {
      this.#leave(state, error);
    }
  }

  async #try(state: WorkflowState, stage: Stage, worker: Worker): Promise<void> {
    const { commit, store, marks, clock, processes, folderOf, outputBytes, graceMs } = this.#options;
    const announced = processes.announce();
    let forget = () => marks.remove(announced);
    this.#begin(state, stage, worker, announced);
    const attempt = new Attempt({
      spec: stage.spec,
      environment: {
        ...WITHOUT_SECRETS,
        ...environmentOf(state.inputs),
        WORKFLOW_ID: state.id,
        STAGE_NAME: stage.spec.name,
        STAGE_ATTEMPT: String(stage.attempts),
        ...stage.spec.environment,
      },
      folder: folderOf(stage.spec.folder),
      processes,
      clock,
      outputBytes,
      graceMs,
      announced,
      onStarted: (mark) => {
        commit(() => {
          forget();
          forget = () => marks.remove(mark);
          marks.add(mark);
          worker.become("running");
        });
      },
    });
    this.#attempts.set(stage, attempt);
    const end = await attempt.run().finally(() => this.#attempts.delete(stage));
    const isPutOff = this.#stopping && end.status === "cancelled" && state.status === "running" &&
      !state.failure();
    if (isPutOff) {
      stage.outputTail = tailOf(attempt.output.read().text);
      return commit(() => {
        forget();
        store.saveStage(state, stage, attempt.output.read());
      });
    }
    if (!this.#active.has(state.id)) return commit(forget);
    this.#conclude(state, stage, worker, end, attempt.output.read(), forget);
  }

  #begin(state: WorkflowState, stage: Stage, worker: Worker, announced: ProcessMark): void {
    const { commit, store, marks, clock } = this.#options;
    const now = clock.now();
    stage.status = "running";
    stage.attempts++;
    stage.workerId = worker.id;
    stage.startedAt = now;
    stage.endedAt = null;
    commit(() => {
      marks.add(announced);
      store.saveStage(state, stage);
      if (state.status !== "pending") return;
      state.status = "running";
      state.startedAt ??= now;
      store.saveWorkflow(state);
    }, laterCall(state.traceparent));
  }

  #conclude(
    state: WorkflowState,
    stage: Stage,
    worker: Worker,
    end: AttemptEnd,
    output: OutputText,
    forget: () => void,
  ): void {
    const { commit, store, pools, clock } = this.#options;
    stage.outputTail = tailOf(output.text);
    stage.endedAt = clock.now();
    const again = state.settle(stage, end);
    commit((transaction) => {
      forget();
      store.saveStage(state, stage, output);
      if (end.status !== "cancelled") {
        pools.count(stage.spec.pool, { completed: end.status === "completed", durationMs: end.durationMs });
      }
      worker.become(end.status);
      if (again) return;
      transaction.emit("workflow.stage_completed", {
        workflow_id: state.id,
        stage_name: stage.spec.name,
        result: stageResult(stage),
        stages_completed: state.completed,
        total_stages: state.stages.length,
      });
      if (!this.#finish(transaction, state)) store.saveWorkflow(state);
    }, laterCall(state.traceparent));
  }
}
