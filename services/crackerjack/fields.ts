/**
 * The fields that the contract of crackerjack is made of, each with its bounds.
 *
 * Optional fields of requests may also be null: clients that serialise a model send one for what is not set.
 *
 * @module
 */
import * as v from "valibot";
import { count, flag, number, text, time, told } from "../../src/protocol/fields.ts";

/** Failures that a run's status shows; the others were told by events. */
export const SHOWN_FAILURES = 50;

export const runId = text(1, 64, "Id of the run (ULID)");
export const project = text(
  1,
  100,
  "Name of the project: as in the settings, of a root, or of a folder right below one",
);
export const status = v.pipe(
  v.picklist(["queued", "running", "cancelling", "passed", "failed", "cancelled", "crashed"]),
  v.description("Where the run is; once it has ended, how"),
);
export const outcome = v.pipe(
  v.picklist(["passed", "failed", "cancelled", "crashed"]),
  v.description(
    "Crashed: ended by a signal or its time limit, not startable, or without trustworthy results",
  ),
);
export const command = v.pipe(
  v.array(text(1, 4096, "A program or an argument")),
  v.minLength(1),
  v.maxLength(200),
  v.description("Program and arguments, never a shell string. Only where setting allow_commands is true"),
);
export const filter = text(1, 500, "Only tests whose names fit, in the way of the project's runner");
export const reportPath = text(1, 4096, "Path of a coverage report inside the project's folder");
export const reportContent = text(
  1,
  1_048_576,
  "A coverage report itself: lcov, Cobertura XML or Istanbul's coverage-summary.json",
);

export const testSuite = told("What runs the tests: vitest, pytest, node, deno, junit, tap or command");
export const ranCommand = v.pipe(v.array(v.string()), v.description("Program and arguments"));
export const total = v.pipe(v.nullable(count("Tests in all")), v.description("Null until it is known"));
export const failedCount = count("Tests that failed, with errors of files and fixtures");
export const skippedCount = count("Tests that were skipped or marked as to do");
export const doneCount = count("Tests that have ended, also the failed and the skipped");
export const duration = number("From the start to the end, or to now");
export const exitCode = v.pipe(v.nullable(v.number()), v.description("Null where it did not exit by itself"));

export const failure = {
  test_name: told("Name of the test, at most 500 characters"),
  file: v.pipe(v.nullable(v.string()), v.description("Relative to the project's folder, where it is known")),
  error: told("The message, at most 2,000 characters"),
  traceback: v.pipe(v.nullable(v.string()), v.description("At most 8,000 characters")),
};

const percent = (what: string) =>
  v.pipe(v.nullable(v.number()), v.description(`${what} covered, 0 to 100; null where the report has none`));

export const coverage = {
  project,
  line_coverage: percent("Lines"),
  branch_coverage: percent("Branches"),
  path_coverage: percent("Paths"),
  files: count("Files that the report is about"),
};

/** Coverage as it is kept. */
export const storedCoverage = {
  ...coverage,
  format: v.picklist(["lcov", "cobertura", "istanbul"]),
  run_id: v.nullable(runId),
  updated_at: v.string(),
};

/** A run as lists show it. */
export const runHead = {
  run_id: runId,
  project,
  status,
  test_suite: testSuite,
  command: ranCommand,
  filter: v.nullable(v.string()),
  total,
  done: doneCount,
  passed: count("Tests that passed"),
  failed: failedCount,
  skipped: skippedCount,
  errors: count("Of the failed: fixtures, files and others that are no test that failed by itself"),
  exit_code: exitCode,
  signal: v.pipe(v.nullable(v.string()), v.description("Like SIGKILL, where one ended it")),
  error: v.pipe(v.nullable(v.string()), v.description("What went wrong with the run as a whole")),
  queued_at: time("When it was asked for"),
  started_at: v.nullable(time("When it was started")),
  ended_at: v.nullable(time("When it ended")),
  duration_seconds: duration,
};

/** A run with its progress. */
export const run = {
  ...runHead,
  rate: v.pipe(v.nullable(v.number()), v.description("Tests a second so far")),
  eta_seconds: v.pipe(
    v.nullable(v.number()),
    v.description("Seconds until the end at this rate; null while that cannot be told"),
  ),
  queue_position: v.pipe(v.nullable(v.number()), v.description("1 is the next to run; null once it runs")),
  failures: v.pipe(v.array(v.object(failure)), v.description(`The first ${SHOWN_FAILURES}`)),
  output_tail: told("The last 16 KiB that it has printed; empty until the end"),
};

export const severity = v.picklist(["required", "warning", "optional"]);

export const check = v.object({
  name: v.string(),
  passed: v.boolean(),
  severity,
  score: number("The number that was looked at; 0 where it is not known"),
  threshold: v.nullable(v.number()),
  message: v.string(),
  details: v.record(v.string(), v.unknown()),
  duration_ms: v.number(),
});

export const qualityReport = {
  fast_hooks: flag("No required check of stage fast_hooks failed"),
  tests: flag("No required check of stage tests failed"),
  comprehensive: flag("No required check of stage comprehensive failed"),
  coverage: number("Line coverage in percent; 0 where none is known"),
  errors: v.pipe(v.array(v.string()), v.description("Names of the required checks that failed")),
  checks: v.array(check),
  repository: v.string(),
  profile: v.string(),
  source: v.string(),
  generated_at: time("When it was made"),
  metadata: v.record(v.string(), v.unknown()),
  passed: flag("All three stages hold"),
  all_passed: flag("The same"),
  blocking_failure: flag("Stage fast_hooks or stage tests does not hold"),
  warnings: v.pipe(v.array(v.string()), v.description("Names of the checks that warn")),
  required_check_failures: v.pipe(
    v.array(v.string()),
    v.description("Names of the required ones that failed"),
  ),
};

export const gateStatus = v.picklist(["passed", "failed"]);
