/**
 * The contract of crackerjack: test runs, their failures as they happen, quality gates and coverage.
 *
 * @module
 */
import * as v from "valibot";
import { defineContract } from "../../src/protocol/contract.ts";
import { cursor, limit, nextCursor } from "../../src/protocol/fields.ts";
import { SERVICE_PORTS } from "../../src/protocol/service-ports.ts";
import { prompts } from "./contract-prompts.ts";
import * as field from "./fields.ts";

const gateChecked = v.object({
  project: field.project,
  gate_name: v.pipe(v.string(), v.description("Name of the gate")),
  status: field.gateStatus,
  score: v.number(),
  threshold: v.nullable(v.number()),
  severity: field.severity,
  quality_gate_report: v.pipe(v.object(field.qualityReport), v.description("The report of all gates")),
});

const events = {
  "test.started": {
    description: "A run of tests was started",
    channels: ["test", "global"],
    data: v.object({
      run_id: field.runId,
      project: field.project,
      test_suite: field.testSuite,
      total_tests: field.total,
      command: field.ranCommand,
    }),
  },
  "test.failed": {
    description: "A test failed, told while the run goes on; a report that comes at the end tells at the end",
    channels: ["test"],
    data: v.object({ run_id: field.runId, project: field.project, ...field.failure }),
  },
  "test.completed": {
    description: "A run has ended, one way or another",
    channels: ["test", "global"],
    data: v.object({
      run_id: field.runId,
      project: field.project,
      tests_completed: field.doneCount,
      tests_failed: field.failedCount,
      tests_skipped: field.skippedCount,
      duration_seconds: field.duration,
      exit_code: field.exitCode,
      outcome: field.outcome,
      error: v.nullable(v.string()),
    }),
  },
  "quality_gate.checked": {
    description:
      "A quality gate was held against a project, after a run of all its tests or when asked; to `quality`, and where it failed to `global` too",
    channels: (data: { readonly status: string }): readonly string[] =>
      data.status === "failed" ? ["quality", "global"] : ["quality"],
    data: gateChecked,
  },
  "coverage.updated": {
    description: "A project's coverage was found after a run, or reported",
    channels: ["quality", "coverage"],
    data: v.object({ ...field.coverage, run_id: v.nullable(field.runId) }),
  },
} as const;

const runRequests = {
  run_tests: {
    description:
      "Start a run of a project's tests. It is answered at once with the run's id; failures as they happen and, at the " +
      "end, `test.completed` are told in the channel `test:{run_id}`. A second run of the same project waits for the first",
    access: "run",
    effect: { destructive: true, openWorld: true },
    input: v.object({
      project: field.project,
      command: v.nullish(field.command),
      filter: v.nullish(field.filter),
    }),
    output: v.object(field.run),
  },
  cancel_run: {
    description: "End a run with all that it has started, or take it out of the queue",
    access: "run",
    effect: { destructive: true, idempotent: true },
    input: v.object({ run_id: field.runId }),
    output: v.object(field.run),
  },
  get_test_status: {
    description: "A run with its progress. A run that does not exist has status not_found",
    access: "read",
    input: v.object({ run_id: field.runId }),
    output: v.object({
      ...v.partial(v.object(field.run)).entries,
      run_id: field.runId,
      status: v.union([field.status, v.literal("not_found")]),
    }),
  },
  list_runs: {
    description: "Runs, newest first",
    access: "read",
    input: v.object({
      project: v.nullish(field.project),
      status: v.nullish(field.status),
      limit: v.nullish(limit()),
      cursor: v.nullish(cursor),
    }),
    output: v.object({ runs: v.array(v.object(field.runHead)), next_cursor: nextCursor }),
  },
} as const;

/** What the gates of a project say: the report's fields, and what older clients look for beside them. */
const gates = {
  ...field.qualityReport,
  project: field.project,
  status: field.gateStatus,
  gates: v.pipe(v.array(field.check), v.description("The same as `checks`")),
};

const qualityRequests = {
  get_quality_gate: {
    description: "What a project's gates say now. A project that does not exist has status not_found",
    access: "read",
    input: v.object({ project: field.project }),
    output: v.object({
      ...v.partial(v.object(gates)).entries,
      project: field.project,
      status: v.union([field.gateStatus, v.literal("not_found")]),
      gates: gates.gates,
    }),
  },
  check_quality: {
    description: "Hold a project against its gates and tell the result of each",
    access: "write",
    effect: { destructive: true },
    input: v.object({ project: field.project }),
    output: v.object(gates),
  },
  report_coverage: {
    description: "Report a project's coverage: the path of a report inside its folder, or a report itself",
    access: "write",
    effect: { destructive: true },
    input: v.object({
      project: field.project,
      path: v.nullish(field.reportPath),
      content: v.nullish(field.reportContent),
    }),
    output: v.object(field.storedCoverage),
  },
} as const;

export const crackerjack = defineContract({
  name: "crackerjack",
  greeting: "Connected to Crackerjack quality monitoring",
  ports: SERVICE_PORTS.crackerjack,
  channels: {
    test: {
      description: "One run of tests: its start, its failures, its end",
      id: "run_id",
      snapshot: v.object(field.run),
    },
    quality: {
      description: "Quality gates and coverage of one project",
      id: "project",
      snapshot: v.object({
        project: field.project,
        report: v.nullable(v.object(field.qualityReport)),
        coverage: v.nullable(v.object(field.storedCoverage)),
      }),
    },
    coverage: {
      description: "Coverage of all projects",
      snapshot: v.object({ projects: v.array(v.object(field.storedCoverage)) }),
    },
  },
  events,
  requests: { ...runRequests, ...qualityRequests },
  prompts,
});

export type CrackerjackContract = typeof crackerjack;
