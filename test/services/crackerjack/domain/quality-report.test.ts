import { describe, expect, test } from "vitest";
import * as v from "valibot";
import { qualityReport as reportSchema } from "../../../../services/crackerjack/fields.ts";
import {
  qualityReport,
  type Severity,
  type Stage,
  type StagedCheck,
} from "../../../../services/crackerjack/domain/quality-report.ts";

const AT = Date.UTC(2026, 10, 23, 0, 17, 5, 471);

function check(name: string, stage: Stage, severity: Severity, passed: boolean): StagedCheck {
  return {
    stage,
    check: {
      name,
      passed,
      severity,
      score: passed ? 100 : 12.5,
      threshold: 80,
      message: "words",
      details: { measure: "x" },
      duration_ms: 1.5,
    },
  };
}

const reportOf = (...checks: StagedCheck[]) =>
  qualityReport({ project: "sample", coverage: 81.25, checks, at: AT, metadata: { run_id: "R" } });

describe("qualityReport", () => {
  test("has the fields that existing clients read, in their order", () => {
    const report = reportOf(check("tests", "tests", "required", true));
    expect(Object.keys(report)).toEqual([
      "fast_hooks",
      "tests",
      "comprehensive",
      "coverage",
      "errors",
      "checks",
      "repository",
      "profile",
      "source",
      "generated_at",
      "metadata",
      "passed",
      "all_passed",
      "blocking_failure",
      "warnings",
      "required_check_failures",
    ]);
    expect(Object.keys(report.checks[0]!)).toEqual([
      "name",
      "passed",
      "severity",
      "score",
      "threshold",
      "message",
      "details",
      "duration_ms",
    ]);
    expect(report).toEqual({
      fast_hooks: true,
      tests: true,
      comprehensive: true,
      coverage: 81.25,
      errors: [],
      checks: [check("tests", "tests", "required", true).check],
      repository: "sample",
      profile: "default",
      source: "crackerjack",
      generated_at: "2026-11-23T00:17:05.471Z",
      metadata: { run_id: "R" },
      passed: true,
      all_passed: true,
      blocking_failure: false,
      warnings: [],
      required_check_failures: [],
    });
    expect(v.parse(v.strictObject(reportSchema), report)).toEqual(report);
  });

  test.each(
    [
      ["fast_hooks", { fast_hooks: false, tests: true, comprehensive: true, blocking_failure: true }],
      ["tests", { fast_hooks: true, tests: false, comprehensive: true, blocking_failure: true }],
      ["comprehensive", { fast_hooks: true, tests: true, comprehensive: false, blocking_failure: false }],
    ] as const,
  )("a required check that fails breaks its stage: %s", (stage, stages) => {
    expect(reportOf(check("good", stage, "required", true), check("bad", stage, "required", false)))
      .toMatchObject({
        ...stages,
        passed: false,
        all_passed: false,
        errors: ["bad"],
        required_check_failures: ["bad"],
        warnings: [],
      });
  });

  test("checks that are not required break nothing; those that warn are named", () => {
    const report = reportOf(
      check("careful", "tests", "warning", false),
      check("quiet", "fast_hooks", "optional", false),
      check("fine", "tests", "warning", true),
    );
    expect(report).toMatchObject({
      fast_hooks: true,
      tests: true,
      passed: true,
      blocking_failure: false,
      errors: [],
      warnings: ["careful"],
      required_check_failures: [],
    });
    expect(report.checks.map(({ name }) => name)).toEqual(["careful", "quiet", "fine"]);
  });

  test("coverage that is not known is 0", () => {
    expect(qualityReport({ project: "p", coverage: null, checks: [], at: AT, metadata: {} }).coverage).toBe(
      0,
    );
  });

  test("without gates the three stages are the checks", () => {
    const report = reportOf();
    expect(report.checks.map(({ name, severity, passed }) => [name, severity, passed])).toEqual([
      ["fast_hooks", "required", true],
      ["tests", "required", true],
      ["comprehensive", "optional", true],
    ]);
    expect(report.passed).toBe(true);
  });
});
