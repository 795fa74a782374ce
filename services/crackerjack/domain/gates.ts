/**
 * Gates: what the settings ask of a project, held against its last run, its coverage and numbers of its reports.
 *
 * @module
 */
import type { Clock } from "../../../src/ports/clock.ts";
import type { Coverage } from "./coverage.ts";
import { numberAt } from "./report-number.ts";
import { ReportError } from "./report-text.ts";
import type { QualityCheck, Stage, StagedCheck } from "./quality-report.ts";
import type { GateSettings, Measure } from "./settings.ts";

/** A run, as far as gates look at it. */
export interface RunFacts {
  readonly run_id: string;
  readonly outcome: "passed" | "failed" | "cancelled" | "crashed";
  readonly test_suite: string;
  readonly done: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly duration_seconds: number;
  readonly error: string | null;
}

export interface GateFacts {
  /** The last run that was not cancelled; null before the first. */
  readonly run: RunFacts | null;
  /** Null where none is known. */
  readonly coverage: Pick<Coverage, "line_coverage" | "branch_coverage"> | null;
  /** Reads a report of the project. Rejects with `ReportError`. */
  readonly readReport: (path: string) => Promise<string>;
}

/** What a project is held to where its settings name no gates. */
const STANDARD: readonly GateSettings[] = [{ name: "tests", measure: "tests", severity: "required" }];

/** Hold every gate against the facts, in the order of the settings. */
export async function checkGates(
  gates: readonly GateSettings[] | undefined,
  facts: GateFacts,
  clock: Clock,
): Promise<StagedCheck[]> {
  const checks: StagedCheck[] = [];
  for (const gate of gates ?? STANDARD) {
    const started = clock.monotonic();
    const found = await verdict(gate, facts);
    const duration_ms = Math.round((clock.monotonic() - started) * 1000) / 1000;
    checks.push({
      stage: stageOf(gate),
      check: {
        name: gate.name,
        passed: found.passed,
        severity: gate.severity,
        score: found.score,
        threshold: gate.threshold ?? null,
        message: found.message,
        details: found.details,
        duration_ms,
      },
    });
  }
  return checks;
}

type Verdict = Pick<QualityCheck, "passed" | "score" | "message" | "details">;

function stageOf({ stage, measure }: GateSettings): Stage {
  return stage ?? (measure === "tests" || measure === "tests_failed" ? "tests" : "comprehensive");
}

async function verdict(gate: GateSettings, facts: GateFacts): Promise<Verdict> {
  if (gate.measure === "tests") return testsVerdict(gate, facts.run);
  if (gate.measure !== undefined) {
    return compared(gate, measured(gate.measure, facts), { measure: gate.measure });
  }
  const report = gate.report ?? "";
  const pointer = gate.pointer ?? "";
  const details = { report, pointer };
  try {
    return compared(gate, numberAt(await facts.readReport(report), pointer), details);
  } catch (error) {
    if (!(error instanceof ReportError)) throw error;
    return { passed: false, score: 0, message: error.message, details };
  }
}

/** Score: the tests that passed, in percent of those that were not skipped. */
function testsVerdict({ threshold }: GateSettings, run: RunFacts | null): Verdict {
  if (!run) return { passed: false, score: 0, message: "No run of the tests has ended yet", details: {} };
  const { run_id, outcome, done, passed: good, failed, skipped } = run;
  const judged = good + failed;
  // A command that is known by its exit code alone counts no tests.
  const isEmpty = judged === 0 && run.test_suite !== "command";
  const score = judged > 0 ? rounded((100 * good) / judged) : outcome === "passed" && !isEmpty ? 100 : 0;
  const ended = (outcome === "passed" || outcome === "failed") && !isEmpty;
  const passed = typeof threshold === "number" ? ended && score >= threshold : ended && outcome === "passed";
  const counts = `${good} passed, ${failed} failed, ${skipped} skipped`;
  const crashed = `The run crashed: ${run.error ?? counts}`;
  const message = outcome === "crashed" ? crashed : isEmpty ? `No test was run: ${counts}` : counts;
  return { passed, score, message, details: { run_id, outcome, failed, skipped, done } };
}

function measured(measure: Exclude<Measure, "tests">, { run, coverage }: GateFacts): number | null {
  switch (measure) {
    case "tests_failed":
      return run && run.failed;
    case "tests_skipped":
      return run && run.skipped;
    case "duration_seconds":
      return run && run.duration_seconds;
    case "line_coverage":
      return coverage && coverage.line_coverage;
    case "branch_coverage":
      return coverage && coverage.branch_coverage;
  }
}

const LESS_IS_BETTER: ReadonlySet<Measure | undefined> = new Set<Measure>([
  "tests_failed",
  "tests_skipped",
  "duration_seconds",
]);

function compared(gate: GateSettings, score: number | null, details: Verdict["details"]): Verdict {
  const threshold = gate.threshold ?? 0;
  const compare = gate.compare ?? (LESS_IS_BETTER.has(gate.measure) ? "at_most" : "at_least");
  const words = compare.replace("_", " ");
  if (score === null) {
    const message = `Expected ${words} ${threshold}, got nothing: it was not measured yet`;
    return { passed: false, score: 0, message, details: { ...details, compare } };
  }
  const passed = compare === "at_most" ? score <= threshold : score >= threshold;
  return {
    passed,
    score,
    message: `Expected ${words} ${threshold}, got ${score}`,
    details: { ...details, compare },
  };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
