/**
 * The contract of mahavishnu: workflows of stages, and the pools of workers that run them.
 *
 * @module
 */
import * as v from "valibot";
import { defineContract } from "../../src/protocol/contract.ts";
import { cursor, limit, nextCursor } from "../../src/protocol/fields.ts";
import { SERVICE_PORTS } from "../../src/protocol/service-ports.ts";
import { prompts } from "./contract-prompts.ts";
import * as field from "./fields.ts";

const events = {
  "workflow.started": {
    description: "A workflow was accepted; its first stages go to their pools",
    channels: ["workflow", "global"],
    data: v.object({
      workflow_id: field.workflowId,
      definition: v.string(),
      prompt: v.pipe(v.optional(v.string()), v.description("The input of this name, where there is one")),
      adapter: v.pipe(v.optional(v.string()), v.description("The input of this name, where there is one")),
      stages: field.stageHeads,
    }),
  },
  "workflow.stage_completed": {
    description: "A stage has ended, well or not, and is not tried again",
    channels: ["workflow"],
    data: v.object({
      workflow_id: field.workflowId,
      stage_name: field.stageName,
      result: field.stageResult,
      stages_completed: field.stagesCompleted,
      total_stages: field.totalStages,
    }),
  },
  "workflow.completed": {
    description: "All stages of a workflow are done",
    channels: ["workflow", "global"],
    data: v.object({ workflow_id: field.workflowId, result: field.workflowResult }),
  },
  "workflow.failed": {
    description:
      "A workflow has ended before its stages were done: one failed, or it was cancelled or interrupted",
    channels: ["workflow", "global"],
    data: v.object({
      workflow_id: field.workflowId,
      error: field.error,
      failed_stage: v.nullable(v.string()),
      result: field.workflowResult,
    }),
  },
  "worker.status_changed": {
    description: "A worker came, went, or is at something else",
    channels: ["worker", "pool"],
    data: field.workerChange,
  },
  "pool.status_changed": {
    description: "A pool's figures have changed; at most twice a second for one pool, the latest always",
    channels: ["pool", "global"],
    data: v.object({ pool_id: field.poolId, status: field.poolStatus }),
  },
} as const;

const workflowRequests = {
  run_workflow: {
    description:
      "Start a workflow. It is answered at once, when it was accepted; each stage and, at the end, `workflow.completed` " +
      "or `workflow.failed` are told in the channel `workflow:{workflow_id}`",
    access: "run",
    effect: { destructive: true, openWorld: true },
    input: v.object({
      definition: field.definition,
      inputs: v.nullish(field.inputs),
      workflow_id: v.pipe(
        v.nullish(field.workflowId),
        v.description("Default: a ULID. One in use is a CONFLICT"),
      ),
    }),
    output: field.workflow,
  },
  cancel_workflow: {
    description:
      "End a workflow: its stages' processes are ended, the rest is skipped. CONFLICT where it has ended",
    access: "write",
    effect: { destructive: true, idempotent: true },
    input: v.object({ workflow_id: field.workflowId }),
    output: field.workflow,
  },
  get_workflow_status: {
    description: "A workflow with its stages; status `not_found` where there is none",
    access: "read",
    input: v.object({ workflow_id: field.workflowId }),
    output: field.workflow,
  },
  list_workflows: {
    description: "Workflows without their stages, newest first",
    access: "read",
    input: v.object({
      status: v.nullish(field.workflowStatus),
      definition: v.nullish(field.definitionName),
      limit: v.nullish(limit()),
      cursor: v.nullish(cursor),
    }),
    output: v.object({ workflows: v.array(field.workflowHead), next_cursor: nextCursor }),
  },
  list_definitions: {
    description: "Definitions in the folder of definitions, as they stand now, with what is wrong with them",
    access: "read",
    input: v.object({}),
    output: v.object({ definitions: v.array(field.definitionHead) }),
  },
  get_stage_output: {
    description:
      "What a stage's last attempt has written, also while it runs: beginning and end, up to a bound",
    access: "read",
    input: v.object({ workflow_id: field.workflowId, stage_name: field.stageName }),
    output: field.stageOutput,
  },
} as const;

const poolRequests = {
  get_pool_status: {
    description: "A pool with its workers; status `not_found` where there is none",
    access: "read",
    input: v.object({ pool_id: field.poolId }),
    output: field.pool,
  },
  list_pools: {
    description: "All pools",
    access: "read",
    input: v.object({}),
    output: v.object({ pools: v.array(field.poolHead) }),
  },
  scale_pool: {
    description: "Change how many workers a pool has; it holds until the settings of the pool change",
    access: "write",
    effect: { destructive: true },
    input: v.object({
      pool_id: field.poolId,
      min: v.nullish(field.workers("Workers that are kept, 0 to 64")),
      max: v.nullish(field.workers("Workers at most, 1 to 64; those above it finish what they are at")),
    }),
    output: field.pool,
  },
} as const;

export const mahavishnu = defineContract({
  name: "mahavishnu",
  greeting: "Connected to Mahavishnu",
  ports: SERVICE_PORTS.mahavishnu,
  channels: {
    workflow: {
      description: "One workflow, from its start to its end",
      id: "workflow_id",
      snapshot: field.workflow,
    },
    pool: { description: "One pool and its workers", id: "pool_id", snapshot: field.pool },
    worker: { description: "One worker", id: "worker_id", snapshot: field.workerChange },
  },
  events,
  requests: { ...workflowRequests, ...poolRequests },
  prompts,
});

export type MahavishnuContract = typeof mahavishnu;
