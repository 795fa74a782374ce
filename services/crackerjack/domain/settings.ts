/**
 * The service's own block of the settings.
 *
 * @module
 */
import * as v from "valibot";
import { pathSetting, textSetting, wholeSetting } from "../../../src/protocol/own-settings.ts";

/** How tests are run and heard: by a reporter of ours, from a report in JUnit XML or TAP, or by the exit code alone. */
export const RUNNERS = ["vitest", "pytest", "node", "deno", "junit", "tap", "command"] as const;
export type Runner = (typeof RUNNERS)[number];

export const SEVERITIES = ["required", "warning", "optional"] as const;
export const STAGES = ["fast_hooks", "tests", "comprehensive"] as const;

/** Numbers that a gate can look at besides those of a report. */
export const MEASURES = [
  "tests",
  "tests_failed",
  "tests_skipped",
  "duration_seconds",
  "line_coverage",
  "branch_coverage",
] as const;
export type Measure = (typeof MEASURES)[number];

const gate = v.pipe(
  v.strictObject({
    name: v.pipe(v.string(), v.regex(/^[\w][\w. -]{0,99}$/, "expected letters, digits, _, -, . and blanks")),
    measure: v.optional(v.picklist(MEASURES, `expected one of ${MEASURES.join(", ")}`)),
    report: v.optional(pathSetting),
    pointer: v.optional(textSetting("a JSON pointer like /summary/errors", 500)),
    severity: v.optional(v.picklist(SEVERITIES, `expected one of ${SEVERITIES.join(", ")}`), "required"),
    stage: v.optional(v.picklist(STAGES, `expected one of ${STAGES.join(", ")}`)),
    threshold: v.optional(v.nullable(v.number("expected a number"))),
    compare: v.optional(
      v.picklist(["at_least", "at_most"], "expected at_least or at_most"),
    ),
  }),
  v.check(
    (gate) => (gate.measure !== undefined) !== (gate.report !== undefined && gate.pointer !== undefined),
    "expected either measure, or report and pointer",
  ),
  v.check(
    (gate) => gate.measure === "tests" || typeof gate.threshold === "number",
    "expected a threshold, which every gate but that on tests needs",
  ),
);

const command = v.pipe(
  v.array(textSetting("a program or an argument of at most 4096 characters", 4096)),
  v.minLength(1, "expected a list of the program and its arguments"),
  v.maxLength(200, "expected at most 200 arguments"),
);

/** A project; nothing in it has to be said. */
export const projectSettings = v.strictObject({
  path: v.optional(pathSetting, "."),
  runner: v.optional(v.picklist(RUNNERS, `expected one of ${RUNNERS.join(", ")}`)),
  command: v.optional(command),
  environment: v.optional(v.record(v.string(), v.string()), {}),
  timeout_seconds: wholeSetting(1, 86_400, 1_800),
  junit: v.optional(pathSetting),
  coverage: v.optional(v.pipe(v.array(pathSetting), v.maxLength(20, "expected at most 20 paths")), []),
  gates: v.optional(
    v.pipe(
      v.array(gate),
      v.maxLength(50, "expected at most 50 gates"),
      v.check(
        (gates) => new Set(gates.map(({ name }) => name)).size === gates.length,
        "expected a name of its own for every gate",
      ),
    ),
  ),
});

export const PROJECT_NAME = /^[A-Za-z0-9][\w.-]{0,99}$/;

export const crackerjackSettings = v.strictObject({
  roots: v.optional(v.pipe(v.array(pathSetting), v.minLength(1, "expected at least one folder")), ["."]),
  allow_commands: v.optional(v.boolean("expected true or false"), false),
  parallel_runs: wholeSetting(1, 64, 2),
  queued_runs: wholeSetting(0, 10_000, 100),
  keep_runs: wholeSetting(1, 100_000, 500),
  failures_per_run: wholeSetting(0, 100_000, 1_000),
  report_bytes: wholeSetting(1_024, 268_435_456, 16_777_216),
  projects: v.optional(
    v.record(
      v.pipe(v.string(), v.regex(PROJECT_NAME, "expected a name of letters, digits, _, - and .")),
      projectSettings,
    ),
    {},
  ),
});

export type CrackerjackSettings = v.InferOutput<typeof crackerjackSettings>;
export type ProjectSettings = v.InferOutput<typeof projectSettings>;
export type GateSettings = v.InferOutput<typeof gate>;
