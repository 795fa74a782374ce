/**
 * The fields that the contract of mahavishnu is made of, each with its bounds.
 *
 * Optional fields of requests may also be null: clients that serialise a model send one for what is not set.
 *
 * @module
 */
import * as v from "valibot";
import { count, number, text, time } from "../../src/protocol/fields.ts";

/** Characters of a workflow's id: the channel `workflow:{workflow_id}` must stay within 255. */
export const MAX_WORKFLOW_ID_LENGTH = 200;
export const MAX_STAGES = 100;
export const MAX_INPUTS = 100;
/** Characters of all inputs of a workflow together. */
export const MAX_INPUT_CHARACTERS = 65_536;
export const MAX_WORKERS = 64;

const timeOrNull = (description: string) => v.nullable(time(description));

export const workflowId = text(
  1,
  MAX_WORKFLOW_ID_LENGTH,
  "Id of the workflow: 1 to 200 characters, no control characters, neither '*' nor ending in ':*'",
);
export const stageName = text(1, 64, "Name of a stage of the workflow");
export const poolId = text(1, 64, "Id of the pool, as the settings name it");
export const workerId = v.pipe(
  v.string(),
  v.description("Id of the worker: the pool's id, a dash and its place"),
);
export const definitionName = text(1, 100, "Name of a definition: that of its file, without .yaml");

export const definition = v.pipe(
  v.union([definitionName, v.record(v.string(), v.unknown())]),
  v.description(
    "Name of a definition, or one itself, as its file would say it, where the settings allow that",
  ),
);

export const inputs = v.pipe(
  v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])),
  v.description(
    "What the stages are given, each as an environment variable: `branch` as INPUT_BRANCH. Names have letters, digits " +
      "and _; at most 100, and 65536 characters in all",
  ),
);

export const workflowStatus = v.pipe(
  v.picklist(["pending", "running", "cancelling", "completed", "failed", "cancelled"]),
  v.description("pending: waits for a worker. cancelling: its stages are being ended"),
);

export const stageStatus = v.pipe(
  v.picklist(["pending", "queued", "running", "completed", "failed", "timeout", "cancelled", "skipped"]),
  v.description("pending: waits for what it needs. queued: waits for a worker. skipped: it will not run"),
);

export const workerStatus = v.pipe(
  v.picklist(["pending", "starting", "running", "idle", "completed", "failed", "timeout", "cancelled"]),
  v.description(
    "pending: new. starting: its child process is being started. completed, failed, timeout, cancelled: how its task " +
      "ended; completed without a task: it was idle for long enough and is gone",
  ),
);

export const stageHeads = v.array(v.object({ name: stageName, needs: v.array(stageName) }));

const resultFields = {
  status: stageStatus,
  exit_code: v.pipe(
    v.nullable(v.number()),
    v.description("Null where it did not exit by itself, or never ran"),
  ),
  signal: v.pipe(v.nullable(v.string()), v.description("What ended it, like SIGKILL; null where it exited")),
  duration_ms: v.nullable(number("Of the last attempt; null where it never ran")),
  attempts: count("Times that it was run"),
};

const outputTail = v.pipe(v.string(), v.description("The end of what the last attempt wrote"));

export const stageResult = v.object({ ...resultFields, output_tail: outputTail });

export const workflowResult = v.object({
  stages: v.array(v.object({ name: stageName, ...resultFields, output_tail: outputTail })),
  total_duration_ms: number("From acceptance to end"),
});

export const stagesCompleted = count("Stages that are done, those included that may fail and did");
export const totalStages = count("Stages of the workflow");

export const error = v.pipe(
  v.string(),
  v.description("What went wrong, in a sentence; `cancelled`; `interrupted`"),
);

export const task = v.pipe(
  v.object({ workflow_id: workflowId, stage_name: stageName, attempt: count("1 for the first") }),
  v.description("What it runs, or has just run"),
);

const workflowFields = {
  definition: v.pipe(v.nullable(v.string()), v.description("Name of its definition")),
  created_at: timeOrNull("When it was accepted"),
  started_at: timeOrNull("When its first stage was started"),
  ended_at: timeOrNull("When it ended"),
  duration_seconds: v.nullable(number("From acceptance to the end, or to now")),
  error: v.nullable(error),
  failed_stage: v.nullable(v.string()),
};

const progress = {
  stages_completed: stagesCompleted,
  total_stages: totalStages,
  progress: v.pipe(v.number(), v.description("Stages done, in percent")),
};

/** A workflow as lists show it. */
export const workflowHead = v.object({
  workflow_id: workflowId,
  status: workflowStatus,
  ...progress,
  ...workflowFields,
});

/** A workflow: what `get_workflow_status` answers. All but the id is empty where there is no such workflow. */
export const workflow = v.object({
  workflow_id: v.string(),
  status: v.union([workflowStatus, v.literal("not_found")]),
  ...progress,
  ...workflowFields,
  stages: v.array(v.object({
    name: stageName,
    needs: v.array(stageName),
    ...resultFields,
    started_at: timeOrNull("When its last attempt was started"),
    ended_at: timeOrNull("When its last attempt ended"),
    worker_id: v.nullable(workerId),
  })),
});

export const poolState = v.pipe(
  v.picklist(["running", "scaling", "stopped"]),
  v.description("scaling: workers above the maximum finish what they are at"),
);

const poolFigures = {
  active_workers: count("Workers that have a task"),
  idle_workers: count("Workers without one"),
  worker_count: count("All workers"),
  queue_size: count("Stages that wait for a worker"),
  tasks_completed: count("Attempts at stages that have ended well, since the service was first started"),
  tasks_failed: count("Attempts at stages that have failed or timed out"),
  min_workers: count("Workers that are kept"),
  max_workers: count("Workers at most"),
};

/** `status` of `pool.status_changed`. */
export const poolStatus = v.object({ state: poolState, ...poolFigures });

/** A pool as lists show it. */
export const poolHead = v.object({
  pool_id: poolId,
  name: v.string(),
  pool_type: v.literal("mahavishnu"),
  status: poolState,
  workers: count("How many workers there are"),
  ...poolFigures,
});

/** A pool: what `get_pool_status` answers. Figures are 0 where there is no such pool. */
export const pool = v.object({
  pool_id: v.string(),
  status: v.union([poolState, v.literal("not_found")]),
  workers: v.pipe(v.array(workerId), v.description("Ids of the workers")),
  ...poolFigures,
  total_workers: count("All workers"),
  queue_limit: count("Waiting stages at which no more workflows are taken"),
  avg_task_duration: v.pipe(v.number(), v.description("Of all attempts that have ended, in seconds")),
  auto_scale: v.boolean(),
  idle_seconds: v.pipe(v.number(), v.description("Idleness after which a worker above the minimum goes")),
  worker_status: v.pipe(
    v.array(v.object({ worker_id: workerId, status: workerStatus, task: v.nullable(task) })),
    v.description("What each worker is at"),
  ),
});

/** A worker, as it is told of. */
export const workerChange = v.object({
  worker_id: workerId,
  pool_id: poolId,
  status: workerStatus,
  previous: v.nullable(workerStatus),
  task: v.optional(task),
});

export const stageOutput = v.object({
  workflow_id: workflowId,
  stage_name: stageName,
  status: stageStatus,
  attempts: count("Times that it was run; the output is the last one's"),
  output: v.pipe(
    v.string(),
    v.description(
      "What it wrote to both streams as it came; the middle is left out where it is over the bound",
    ),
  ),
  total_bytes: count("Bytes that it wrote"),
  omitted_bytes: count("Bytes that were left out, where the output says so"),
});

export const workers = (description: string) =>
  v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_WORKERS), v.description(description));

export const definitionHead = v.object({
  name: v.string(),
  file: v.pipe(v.string(), v.description("Its file, from the service's folder")),
  description: v.nullable(v.string()),
  stages: stageHeads,
  on_restart: v.nullable(v.picklist(["resume", "fail"])),
  errors: v.pipe(
    v.array(v.string()),
    v.description("What is wrong with it, with file and line; it cannot be run then"),
  ),
});
