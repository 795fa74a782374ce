/**
 * The report on a project's quality, in the fields that existing clients read.
 *
 * @module
 */
import type { SEVERITIES, STAGES } from "./settings.ts";

export type Severity = (typeof SEVERITIES)[number];
export type Stage = (typeof STAGES)[number];

/** What one gate found. */
export interface QualityCheck {
  readonly name: string;
  readonly passed: boolean;
  readonly severity: Severity;
  /** The number that was looked at; 0 where it is not known. */
  readonly score: number;
  readonly threshold: number | null;
  readonly message: string;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
  readonly duration_ms: number;
}

/** A check, and the part of the report that it decides when it is required. */
export interface StagedCheck {
  readonly stage: Stage;
  readonly check: QualityCheck;
}

export interface QualityReport {
  readonly fast_hooks: boolean;
  readonly tests: boolean;
  readonly comprehensive: boolean;
  readonly coverage: number;
  readonly errors: string[];
  readonly checks: QualityCheck[];
  readonly repository: string;
  readonly profile: string;
  readonly source: string;
  readonly generated_at: string;
  readonly metadata: Record<string, string | number | boolean | null>;
  readonly passed: boolean;
  readonly all_passed: boolean;
  readonly blocking_failure: boolean;
  readonly warnings: string[];
  readonly required_check_failures: string[];
}

export interface ReportFacts {
  readonly project: string;
  /** Line coverage in percent; null where none is known. */
  readonly coverage: number | null;
  readonly checks: readonly StagedCheck[];
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly metadata: QualityReport["metadata"];
}

/**
 * `fast_hooks`, `tests` and `comprehensive` hold while no required check of that stage has failed; `passed` is all
 * three, `blocking_failure` one of the first two. Where a project has no gates, its three stages are its checks.
 */
export function qualityReport({ project, coverage, checks, at, metadata }: ReportFacts): QualityReport {
  const holds = (stage: Stage): boolean =>
    checks.every((staged) =>
      staged.stage !== stage || staged.check.severity !== "required" || staged.check.passed
    );
  const fast_hooks = holds("fast_hooks");
  const tests = holds("tests");
  const comprehensive = holds("comprehensive");
  const listed = checks.length > 0 ? checks.map(({ check }) => check) : [
    stageCheck("fast_hooks", "required"),
    stageCheck("tests", "required"),
    stageCheck("comprehensive", "optional"),
  ];
  const failed = (severity: Severity): string[] =>
    listed.filter((check) => check.severity === severity && !check.passed).map(({ name }) => name);
  const passed = fast_hooks && tests && comprehensive;
  return {
    fast_hooks,
    tests,
    comprehensive,
    coverage: coverage ?? 0,
    errors: failed("required"),
    checks: listed,
    repository: project,
    profile: "default",
    source: "crackerjack",
    generated_at: new Date(at).toISOString(),
    metadata,
    passed,
    all_passed: passed,
    blocking_failure: !fast_hooks || !tests,
    warnings: failed("warning"),
    required_check_failures: failed("required"),
  };
}

function stageCheck(name: Stage, severity: Severity): QualityCheck {
  return {
    name,
    passed: true,
    severity,
    score: 100,
    threshold: null,
    message: "The project has no gate of this stage",
    details: {},
    duration_ms: 0,
  };
}
