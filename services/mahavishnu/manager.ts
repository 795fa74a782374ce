/**
 * Mahavishnu: workflows of stages that run as child processes of workers in pools.
 *
 * Workflows are kept in the service's database; every change of one and its event are one commit.
 *
 * @module
 */
import { monotonicFactory } from "ulid";
import * as v from "valibot";
import type { Call } from "../../src/ports/call.ts";
import { parseChannel } from "../../src/protocol/channel-name.ts";
import type { RequestInput, RequestName } from "../../src/protocol/contract.ts";
import { Refusal } from "../../src/protocol/errors.ts";
import { DEFAULT_LIST_LIMIT } from "../../src/protocol/fields.ts";
import type { JsonObject } from "../../src/protocol/json.ts";
import type { Manager, ManagerContext } from "../../src/service/define-service.ts";
import { migrate } from "../../src/storage/migrations.ts";
import type { MahavishnuContract } from "./contract.ts";
import { ChildMarks } from "./domain/child-marks.ts";
import { type Definition, readDefinition } from "./domain/definition.ts";
import {
  DefinitionFiles,
  type DefinitionFilesOptions,
  firstOf,
  shortened,
} from "./domain/definition-files.ts";
import { checkedInputs } from "./domain/inputs.ts";
import { locate, type ReadYaml } from "./domain/located.ts";
import { PoolRecords } from "./domain/pool-records.ts";
import { type PoolHead, Pools, type PoolView } from "./domain/pools.ts";
import { Scheduler } from "./domain/scheduler.ts";
import { SCHEMA_NAME, SCHEMA_STEPS } from "./domain/schema.ts";
import { type MahavishnuSettings, mahavishnuSettings } from "./domain/settings.ts";
import { WorkflowState } from "./domain/workflow-state.ts";
import { WorkflowStore } from "./domain/workflow-store.ts";
import type { WorkflowHead, WorkflowView } from "./domain/workflow-view.ts";

type Input<R extends RequestName<MahavishnuContract>> = RequestInput<MahavishnuContract, R>;

/** What the manager needs besides its context. */
export interface MahavishnuTools {
  readonly readYaml: ReadYaml;
  /** Names of what is in a folder; empty where there is none. */
  readonly listFolder: (path: string) => Promise<string[]>;
  readonly workspace: DefinitionFilesOptions["workspace"];
}

export interface DefinitionHead {
  readonly name: string;
  readonly file: string;
  readonly description: string | null;
  readonly stages: { name: string; needs: string[] }[];
  readonly on_restart: "resume" | "fail" | null;
  readonly errors: string[];
}

export interface StageOutput {
  readonly workflow_id: string;
  readonly stage_name: string;
  readonly status: WorkflowView["stages"][number]["status"];
  readonly attempts: number;
  readonly output: string;
  readonly total_bytes: number;
  readonly omitted_bytes: number;
}

/**
 * Inputs are those of the contract's requests, already checked against their schemas. Every method may throw a
 * `Refusal`. A `call` is handed on to `commit`, so that the answer is remembered with the change.
 */
export class MahavishnuManager implements Manager {
  readonly #context: ManagerContext<MahavishnuContract>;
  readonly #settings: MahavishnuSettings;
  readonly #store: WorkflowStore;
  readonly #marks: ChildMarks;
  readonly #pools: Pools;
  readonly #definitions: DefinitionFiles;
  readonly #scheduler: Scheduler;
  readonly #ulid = monotonicFactory();

  /** Brings the tables up to date. Use `open`, which also takes up what was interrupted. */
  constructor(context: ManagerContext<MahavishnuContract>, tools: MahavishnuTools) {
    const { database, clock, log, files, processes, commit } = context;
    migrate(database, SCHEMA_NAME, SCHEMA_STEPS);
    this.#context = context;
    const settings = this.#settings = v.parse(mahavishnuSettings, context.settings);
    this.#store = new WorkflowStore(database);
    this.#marks = new ChildMarks(database);
    this.#pools = new Pools({
      settings: settings.pools,
      records: new PoolRecords(database),
      clock,
      log,
      onWorker: (change) => context.publish("worker.status_changed", change),
      onStatus: (pool_id, status) => context.publish("pool.status_changed", { pool_id, status }),
    });
    this.#definitions = new DefinitionFiles({
      folder: settings.definitions,
      files,
      ...tools,
      pools: this.#pools.ids,
    });
    this.#scheduler = new Scheduler({
      commit,
      store: this.#store,
      marks: this.#marks,
      pools: this.#pools,
      processes,
      clock,
      log,
      folderOf: (folder) => files.resolve(settings.working_directory, folder ?? "."),
      outputBytes: settings.output_bytes,
      graceMs: settings.stop_grace_ms,
      kept: settings.workflows_kept,
    });
  }

  /**
   * Make the manager and take up what an earlier process has left: its children are ended, and each workflow that was
   * under way goes on or fails, as its definition says.
   */
  static async open(
    context: ManagerContext<MahavishnuContract>,
    tools: MahavishnuTools,
  ): Promise<MahavishnuManager> {
    const manager = new MahavishnuManager(context, tools);
    await manager.#takeUp();
    return manager;
  }

  /**
   * Accept a workflow. Refused with NOT_FOUND where there is no such definition, INVALID_DATA where it is faulty, FORBIDDEN
   * where it is written out and that is not allowed, CONFLICT where the id is in use, NOT_AVAILABLE where the queue of
   * a pool is full.
   */
  async runWorkflow(input: Input<"run_workflow">, call?: Call): Promise<WorkflowView> {
    if (input.workflow_id != null) this.#expectChannel(input.workflow_id);
    const inputs = checkedInputs(input.inputs ?? {});
    const definition = await this.#definition(input.definition);
    const now = this.#now();
    const id = input.workflow_id ?? this.#ulid(now);
    const traceparent = call?.traceparent;
    const state = new WorkflowState({ id, definition, inputs, createdAt: now, traceparent });
    const wanted = new Map<string, number>();
    for (const { spec: { pool } } of state.ready()) wanted.set(pool, (wanted.get(pool) ?? 0) + 1);
    const view = this.#context.commit((transaction) => {
      this.#store.insert(state);
      this.#pools.expectRoom(wanted);
      transaction.emit("workflow.started", {
        workflow_id: id,
        definition: definition.name,
        ...inputs.prompt === undefined ? {} : { prompt: inputs.prompt },
        ...inputs.adapter === undefined ? {} : { adapter: inputs.adapter },
        stages: definition.stages.map(({ name, needs }) => ({ name, needs: [...needs] })),
      });
      return this.#store.require(id, now);
    }, call);
    this.#scheduler.start(state);
    return view;
  }

  /** End a workflow. Refused with NOT_FOUND, and with CONFLICT where it has ended. */
  cancelWorkflow({ workflow_id: id }: Input<"cancel_workflow">, call?: Call): WorkflowView {
    const { status } = this.#store.require(id, this.#now());
    const answer = () => this.#store.require(id, this.#now());
    if (status === "cancelling") return this.#context.commit(answer, call);
    if (status !== "pending" && status !== "running") {
      throw new Refusal("CONFLICT", `Workflow '${id}' has ended as ${status} and cannot be cancelled`);
    }
    if (this.#scheduler.isActive(id)) return this.#scheduler.cancel(id, answer, call);
    throw new Refusal(
      "NOT_AVAILABLE",
      `Workflow '${id}' waits for the service's next start: cancel it then`,
    );
  }

  /** A workflow with its stages; status `not_found` where there is none. */
  getWorkflowStatus({ workflow_id: id }: Input<"get_workflow_status">) {
    return this.#store.find(id, this.#now()) ?? { ...NO_WORKFLOW, workflow_id: id, stages: [] };
  }

  /** Newest first, without their stages. */
  listWorkflows(
    input: Input<"list_workflows"> = {},
  ): { workflows: WorkflowHead[]; next_cursor: string | null } {
    return this.#store.list(input, input.cursor, input.limit ?? DEFAULT_LIST_LIMIT, this.#now());
  }

  /** What is in the folder of definitions now, faulty ones included. */
  async listDefinitions(): Promise<{ definitions: DefinitionHead[] }> {
    const definitions = (await this.#definitions.list()).map(({ name, file, result }) => ({
      name,
      file,
      description: result.ok ? result.definition.description : null,
      stages: result.ok
        ? result.definition.stages.map(({ name, needs }) => ({ name, needs: [...needs] }))
        : [],
      on_restart: result.ok ? result.definition.onRestart : null,
      errors: result.ok ? [] : firstOf(result.problems),
    }));
    return { definitions };
  }

  /** Refused with NOT_FOUND where there is no such workflow, or no such stage in it. */
  getStageOutput({ workflow_id, stage_name }: Input<"get_stage_output">): StageOutput {
    this.#store.require(workflow_id, this.#now());
    const stored = this.#store.output(workflow_id, stage_name);
    if (!stored) throw new Refusal("NOT_FOUND", `No stage '${stage_name}' in workflow '${workflow_id}'`);
    const { text, totalBytes, omittedBytes } = this.#scheduler.liveOutput(workflow_id, stage_name)?.output ??
      stored;
    return {
      workflow_id,
      stage_name,
      status: stored.status,
      attempts: stored.attempts,
      output: text,
      total_bytes: totalBytes,
      omitted_bytes: omittedBytes,
    };
  }

  /** A pool with its workers; status `not_found` where there is none. */
  getPoolStatus({ pool_id }: Input<"get_pool_status">): PoolView {
    return this.#pools.view(pool_id);
  }

  listPools(): { pools: PoolHead[] } {
    return { pools: this.#pools.list() };
  }

  /** Change a pool's bounds. Refused with NOT_FOUND, and with INVALID_DATA where they do not go together. */
  scalePool(input: Input<"scale_pool">, call?: Call): PoolView {
    const { pool_id: id } = input;
    const before = this.#pools.bounds(id);
    let isApplied = false;
    try {
      return this.#context.commit(() => {
        const bounds = this.#pools.setBounds(id, input);
        isApplied = true;
        this.#pools.apply(id, bounds);
        return this.#pools.view(id);
      }, call);
    } catch (error) {
      if (isApplied) this.#pools.apply(id, before);
      throw error;
    }
  }

  /** Figures of the service; with an id, the state of that workflow, pool or worker. */
  getStatus(data: JsonObject): JsonObject {
    const { workflow_id, pool_id, worker_id } = data;
    if (typeof workflow_id === "string") {
      return { ...this.getWorkflowStatus({ workflow_id }) } as unknown as JsonObject;
    }
    if (typeof pool_id === "string") return { ...this.getPoolStatus({ pool_id }) } as unknown as JsonObject;
    if (typeof worker_id === "string") {
      return this.snapshot("worker", worker_id) ?? { worker_id, status: "not_found" };
    }
    const counts = this.#store.totals();
    return {
      workflows: counts,
      workflows_active: this.#scheduler.activeCount,
      pools: this.#pools.list().map(({ pool_id, status, workers, queue_size }) => ({
        pool_id,
        status,
        workers,
        queue_size,
      })),
    };
  }

  /** The workflow, pool or worker behind a channel. */
  snapshot(kind: string, id: string | null): JsonObject | null {
    if (id === null) return null;
    if (kind === "workflow") {
      const view = this.#store.find(id, this.#now());
      return view ? { ...view } as unknown as JsonObject : null;
    }
    if (kind === "pool") {
      const view = this.#pools.view(id);
      return view.status === "not_found" ? null : { ...view } as unknown as JsonObject;
    }
    if (kind !== "worker") return null;
    const worker = this.#pools.worker(id);
    return worker && { ...worker } as unknown as JsonObject;
  }

  /** End all children. Workflows that are under way are taken up at the next start. */
  async stop(): Promise<void> {
    await this.#scheduler.stop();
    this.#pools.close();
  }

  async #takeUp(): Promise<void> {
    const { processes, log, commit } = this.#context;
    const marks = this.#marks.all();
    const reaped = await processes.reap(marks);
    if (reaped > 0) log.warn("Processes of an earlier run were ended", { groups: reaped });
    const left = this.#store.unfinished();
    for (const state of left) {
      // One of which nothing had begun can begin as well now.
      const isInterrupted = state.definition.onRestart === "fail" && state.status === "running" &&
        !state.failure();
      const goesOn = !isInterrupted && state.status !== "cancelling" && !state.failure();
      for (const stage of state.stages) {
        if (stage.status === "queued") stage.status = "pending";
        if (stage.status === "running") stage.status = goesOn ? "pending" : "cancelled";
      }
      commit((transaction) => {
        for (const stage of state.stages) this.#store.saveStage(state, stage);
        if (isInterrupted) {
          const failedStage = state.stages.find(({ status }) => status === "cancelled")?.spec.name ?? null;
          this.#scheduler.end(transaction, state, { status: "failed", error: "interrupted", failedStage });
        } else {
          const outcome = state.outcome();
          if (outcome) this.#scheduler.end(transaction, state, outcome);
        }
      });
    }
    commit(() => {
      for (const mark of marks) this.#marks.remove(mark);
    });
    this.#pools.fill();
    for (const state of left) {
      if (state.status === "pending" || state.status === "running") this.#scheduler.start(state);
    }
  }

  async #definition(given: Input<"run_workflow">["definition"]): Promise<Definition> {
    if (typeof given === "string") return await this.#definitions.load(given);
    if (!this.#settings.allow_inline) {
      throw new Refusal(
        "FORBIDDEN",
        "A definition may not be written out here: name one, or set allow_inline in the service's settings",
      );
    }
    const context = { file: "definition", name: "inline", pools: this.#pools.ids };
    const result = readDefinition(locate(given as JsonObject), context);
    if (result.ok) return result.definition;
    throw new Refusal("INVALID_DATA", shortened(result.problems));
  }

  #now(): number {
    return this.#context.clock.now();
  }

  #expectChannel(id: string): void {
    const channel = parseChannel(this.#context.contract.channels, `workflow:${id}`);
    if (channel.ok && !channel.wildcard) return;
    const reason = channel.ok ? "'*' stands for all workflows" : channel.reason;
    throw new Refusal(
      "INVALID_DATA",
      `Invalid field 'workflow_id': it cannot be part of a channel's name: ${reason}`,
    );
  }
}

const NO_WORKFLOW = {
  status: "not_found",
  stages_completed: 0,
  total_stages: 0,
  progress: 0,
  definition: null,
  created_at: null,
  started_at: null,
  ended_at: null,
  duration_seconds: null,
  error: null,
  failed_stage: null,
} as const;
