/**
 * For each kind of channel that has a snapshot: what of it the channel's events account for, and how each event changes
 * that. Whoever takes the snapshot and folds the events after it onto it has to know what the service knows.
 *
 * @module
 */
import { expect } from "vitest";
import type { Heard, Requester } from "./listener.ts";

/** JSON of which the test knows what is in it. */
// deno-lint-ignore no-explicit-any
export type Data = any;

export interface Fold {
  readonly channel: string;
  /** What of a snapshot is compared. */
  readonly take: (snapshot: Data) => Data;
  /** The state after an event. Checks that it can be the next one. */
  readonly apply: (state: Data, event: Heard) => Data;
  /** What a query answers now, as a snapshot would say it. Default: a new subscriber's snapshot. */
  readonly ask?: (requester: Requester) => Promise<Data>;
}

/** RFC 7396. */
function patched(target: Data, patch: Data): Data {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === "object" && target !== null && !Array.isArray(target);
  const result: Data = isObject ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = patched(result[key], value);
  }
  return result;
}

/** Adds to a list of things that come once each. */
function added(list: readonly string[], id: string): string[] {
  expect(list).not.toContain(id);
  return [...list, id].sort();
}

/** The version that follows. */
function next(state: { version: number }, { data }: Heard): number {
  expect(data.version).toBe(state.version + 1);
  return data.version;
}

const pick = (keys: readonly string[]) => (from: Data): Data =>
  Object.fromEntries(keys.map((key) => [key, from[key]]));

export const sessionFold: Fold = {
  channel: "session:s",
  take: pick(["context", "version", "checkpoints"]),
  apply(state, event) {
    if (event.event === "session.checkpoint") return { ...state, checkpoints: state.checkpoints + 1 };
    return { ...state, version: next(state, event), context: patched(state.context, event.data.changes) };
  },
  ask: (requester) => requester.request("get_session", { session_id: "s" }),
};

const byId = (elements: Data[]) => Object.fromEntries(elements.map((element) => [element.id, element]));

export const diagramFold: Fold = {
  channel: "diagram:d",
  take: ({ version, elements }) => ({ version, elements: byId(elements) }),
  apply: (state, event) => ({
    version: next(state, event),
    elements: { ...state.elements, ...byId(event.data.elements) },
  }),
  ask: (requester) => requester.request("get_diagram", { diagram_id: "d", include_deleted: true }),
};

export const presenceFold: Fold = {
  channel: "presence:d",
  take: ({ users }) => Object.fromEntries(users.map((user: Data) => [user.user_id, user.user_info])),
  apply(state, { event, data }) {
    const { [data.user_id]: known, ...others } = state;
    // Each comes and goes in turn.
    expect([event, known === undefined]).toEqual([event, event === "user.joined"]);
    return event === "user.joined" ? { ...others, [data.user_id]: data.user_info } : others;
  },
  ask: async (requester) => (await requester.request("get_diagram_status", { diagram_id: "d" })).diagram,
};

export const ADAPTER = "test:edges:local";

export const adapterFolds: readonly Fold[] = [
  {
    channel: `adapter:${ADAPTER}`,
    take: pick(["version", "sha256", "size", "changelog"]),
    apply: (state, { event, data }) => event === "adapter.updated" ? pick(Object.keys(state))(data) : state,
    ask: async (requester) => (await requester.request("get_adapter", { adapter_id: ADAPTER })).adapter,
  },
  {
    channel: "storage:database",
    take: pick(["versions"]),
    apply: ({ versions }, { data }) => ({ versions: versions + (data.operation === "stored" ? 1 : -1) }),
  },
  {
    channel: "storage:blob",
    take: pick(["blobs", "bytes"]),
    apply({ blobs, bytes }, { data: { operation, size } }) {
      const sign = operation === "stored" ? 1 : -1;
      return { blobs: blobs + sign, bytes: bytes + sign * size };
    },
  },
  {
    // Targets that are to acknowledge. One is offered a version when it is distributed, and may be offered it again.
    channel: "distribution",
    take: ({ distributions }) =>
      distributions.flatMap(({ distribution_id, targets }: Data) =>
        targets.filter(({ status }: Data) => status === "pending")
          .map(({ target }: Data) => `${distribution_id} ${target}`)
      ).sort(),
    apply(state, { event, data: { distribution_id, target } }) {
      const name = `${distribution_id} ${target}`;
      if (event === "adapter.offered") return [...new Set([...state, name])].sort();
      expect(state).toContain(name);
      return state.filter((other: string) => other !== name);
    },
  },
];

const ENDED = ["completed", "failed", "timeout", "cancelled", "skipped"];

export const workflowFolds: readonly Fold[] = [
  {
    channel: "workflow:long",
    take: ({ stages, stages_completed, status }) => ({
      stages: Object.fromEntries(
        stages.filter((stage: Data) => ENDED.includes(stage.status))
          .map((stage: Data) => [stage.name, stage.status]),
      ),
      stages_completed,
      ended: ENDED.includes(status),
    }),
    apply(state, { event, data }) {
      if (event === "workflow.completed") return { ...state, ended: true };
      expect(data.stages_completed).toBe(state.stages_completed + 1);
      return {
        ...state,
        stages_completed: data.stages_completed,
        stages: { ...state.stages, [data.stage_name]: data.result.status },
      };
    },
    ask: (requester) => requester.request("get_workflow_status", { workflow_id: "long" }),
  },
  {
    channel: "pool:default",
    take: pick(["active_workers", "idle_workers", "queue_size", "tasks_completed", "tasks_failed"]),
    apply: (state, { event, data }) =>
      event === "pool.status_changed" ? pick(Object.keys(state))(data.status) : state,
    ask: (requester) => requester.request("get_pool_status", { pool_id: "default" }),
  },
  {
    channel: "worker:default-1",
    take: pick(["status"]),
    apply(state, { data }) {
      expect(data.previous).toBe(state.status);
      return { status: data.status };
    },
  },
];

export const qualityFolds: readonly Fold[] = [
  {
    channel: "coverage",
    take: ({ projects }) =>
      Object.fromEntries(projects.map(({ project, line_coverage }: Data) => [project, line_coverage])),
    apply: (state, { data }) => ({ ...state, [data.project]: data.line_coverage }),
  },
  {
    channel: "quality:shop",
    take: ({ report, coverage }) => ({
      line_coverage: coverage?.line_coverage ?? null,
      // Of several gates each is told, with the report of all.
      generated_at: report?.generated_at ?? null,
    }),
    apply: (state, { event, data }) =>
      event === "coverage.updated"
        ? { ...state, line_coverage: data.line_coverage }
        : { ...state, generated_at: data.quality_gate_report.generated_at },
  },
];

/** Failures that a run's state shows; the others are counted. */
const SHOWN_FAILURES = 50;

export const runFold = (runId: string): Fold => ({
  channel: `test:${runId}`,
  take: ({ status, failures }) => ({
    ended: ["passed", "failed", "cancelled", "crashed"].includes(status),
    failures: failures.map(({ test_name }: Data) => test_name),
  }),
  apply(state, { event, data }) {
    if (event === "test.completed") return { ...state, ended: true };
    if (event !== "test.failed") return state;
    expect(state.failures).not.toContain(data.test_name);
    return { ...state, failures: [...state.failures, data.test_name].slice(0, SHOWN_FAILURES) };
  },
  ask: (requester) => requester.request("get_test_status", { run_id: runId }),
});

/** Things that are found, by their ids. */
const found = (channel: string, list: string, id: string, request: string, more: Data = {}): Fold => ({
  channel,
  take: (snapshot) => snapshot[list].map((row: Data) => row[id]).sort(),
  apply: (state, { data }) => added(state, data[id]),
  ask: (requester) => requester.request(request, { ...more, limit: 50 }),
});

export const findingFolds: readonly Fold[] = [
  found("metrics", "aggregations", "aggregation_id", "get_aggregations"),
  found("anomalies", "anomalies", "anomaly_id", "get_anomalies"),
  found("insights", "insights", "insight_id", "get_insights"),
  found("patterns:change_point", "patterns", "pattern_id", "get_patterns", { category: "change_point" }),
];
