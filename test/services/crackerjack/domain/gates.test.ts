import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { files } from "../../../../src/runtimes/files.ts";
import { workspace } from "../../../../src/runtimes/workspace.ts";
import type { Coverage } from "../../../../services/crackerjack/domain/coverage.ts";
import type { RunFacts } from "../../../../services/crackerjack/domain/gates.ts";
import { judge } from "../../../../services/crackerjack/domain/quality.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { makeProject } from "../project-folder.ts";
import { projectSettings } from "../started-execution.ts";

const RUN: RunFacts = {
  run_id: "01RUN",
  outcome: "failed",
  test_suite: "vitest",
  done: 10,
  passed: 7,
  failed: 2,
  skipped: 1,
  duration_seconds: 12.5,
  error: null,
};
const COVERAGE: Coverage = {
  line_coverage: 80,
  branch_coverage: null,
  path_coverage: null,
  files: 3,
  format: "lcov",
};

interface Facts {
  readonly run?: RunFacts | null;
  readonly coverage?: Coverage | null;
  readonly coverageError?: string;
}

/** Hold a project with these files against these gates. */
async function judged(
  gates: readonly Record<string, unknown>[] | undefined,
  { run = RUN, coverage = COVERAGE, ...more }: Facts = {},
  texts: Record<string, string> = {},
) {
  const { path } = await makeProject(texts);
  await symlink("/etc/passwd", join(path, "leads-out.json"));
  return await judge(
    { clock: new FakeClock(), files, workspace, roots: [path], reportBytes: 1_024 },
    "sample",
    projectSettings({ path, ...(gates && { gates }) }),
    { run, coverage, ...more },
  );
}

async function verdict(gate: Record<string, unknown>, facts: Facts = {}, texts: Record<string, string> = {}) {
  const { checks } = await judged([{ name: "gate", ...gate }], facts, texts);
  const { passed, score, message } = checks[0]!;
  return { passed, score, message };
}

describe("a gate on the tests", () => {
  test("holds where the last run passed; its score is the share of those that were judged", async () => {
    expect(await verdict({ measure: "tests" })).toEqual({
      passed: false,
      score: 77.78,
      message: "7 passed, 2 failed, 1 skipped",
    });
    const passed: RunFacts = { ...RUN, outcome: "passed", failed: 0 };
    expect(await verdict({ measure: "tests" }, { run: passed })).toMatchObject({ passed: true, score: 100 });
  });

  test("with a threshold it holds from that score on, unless the run crashed", async () => {
    expect(await verdict({ measure: "tests", threshold: 77.78 })).toMatchObject({ passed: true });
    expect(await verdict({ measure: "tests", threshold: 77.79 })).toMatchObject({ passed: false });
    const crashed: RunFacts = { ...RUN, outcome: "crashed", failed: 0, error: "It was ended by SIGKILL" };
    expect(await verdict({ measure: "tests", threshold: 1 }, { run: crashed })).toEqual({
      passed: false,
      score: 100,
      message: "The run crashed: It was ended by SIGKILL",
    });
  });

  test("does not hold before the first run", async () => {
    expect(await verdict({ measure: "tests" }, { run: null })).toEqual({
      passed: false,
      score: 0,
      message: "No run of the tests has ended yet",
    });
  });

  test("a run without a test scores by how it ended, where tests are not counted", async () => {
    const empty: RunFacts = { ...RUN, test_suite: "command", done: 0, passed: 0, failed: 0, skipped: 0 };
    expect(await verdict({ measure: "tests" }, { run: empty })).toMatchObject({ passed: false, score: 0 });
    expect(await verdict({ measure: "tests" }, { run: { ...empty, outcome: "passed" } }))
      .toMatchObject({ passed: true, score: 100 });
    // Where tests are counted, none is not enough.
    const nothing: RunFacts = { ...empty, test_suite: "node", outcome: "passed" };
    expect(await verdict({ measure: "tests" }, { run: nothing })).toEqual({
      passed: false,
      score: 0,
      message: "No test was run: 0 passed, 0 failed, 0 skipped",
    });
  });

  test("is what a project is held to where its settings name no gates", async () => {
    const report = await judged(undefined);
    expect(report.checks.map(({ name, severity, threshold }) => [name, severity, threshold])).toEqual([
      ["tests", "required", null],
    ]);
    expect(report).toMatchObject({
      tests: false,
      blocking_failure: true,
      errors: ["tests"],
      coverage: 80,
      metadata: { run_id: "01RUN", branch_coverage: null },
    });
  });
});

describe("a gate on a number of the run or the coverage", () => {
  test.each([
    ["tests_failed", 2, true],
    ["tests_failed", 1, false],
    ["tests_skipped", 1, true],
    ["tests_skipped", 0, false],
    ["duration_seconds", 12.5, true],
    ["duration_seconds", 12.4, false],
    ["line_coverage", 80, true],
    ["line_coverage", 80.01, false],
  ])("%s against %d", async (measure, threshold, passed) => {
    expect(await verdict({ measure, threshold })).toMatchObject({ passed });
  });

  test("compares the other way where it is told to", async () => {
    expect(await verdict({ measure: "line_coverage", threshold: 80, compare: "at_most" }))
      .toEqual({ passed: true, score: 80, message: "Expected at most 80, got 80" });
    expect(await verdict({ measure: "tests_failed", threshold: 3, compare: "at_least" }))
      .toMatchObject({ passed: false });
  });

  test("does not hold where nothing was measured, even against 0", async () => {
    expect(await verdict({ measure: "branch_coverage", threshold: 0 })).toEqual({
      passed: false,
      score: 0,
      message: "Expected at least 0, got nothing: it was not measured yet",
    });
    expect(await verdict({ measure: "line_coverage", threshold: 0 }, { coverage: null }))
      .toMatchObject({ passed: false });
    expect(await verdict({ measure: "tests_failed", threshold: 0 }, { run: null }))
      .toMatchObject({ passed: false });
  });
});

describe("a gate on a number of a report", () => {
  const gate = { report: "lint.json", pointer: "/errors", threshold: 3, compare: "at_most" };

  test("looks at the number that the report has there", async () => {
    expect(await verdict(gate, {}, { "lint.json": `{"errors":3}` })).toMatchObject({
      passed: true,
      score: 3,
    });
    expect(await verdict(gate, {}, { "lint.json": `{"errors":4}` })).toEqual({
      passed: false,
      score: 4,
      message: "Expected at most 3, got 4",
    });
    expect(await verdict({ ...gate, report: "r.xml", pointer: "/a/@n" }, {}, { "r.xml": `<a n="2"/>` }))
      .toMatchObject({ passed: true, score: 2 });
  });

  test.each([
    ["is not there", {}, /it is not there$/],
    ["is cut short", { "lint.json": `{"errors":` }, /^Cannot read the report: expected JSON/],
    ["has no number there", { "lint.json": `{"errors":"many"}` }, /^Cannot find a number at "\/errors"/],
    [
      "is too large",
      { "lint.json": `{"errors":1,"x":"${"x".repeat(2_000)}"}` },
      /expected at most 1024 bytes/,
    ],
  ])("does not hold where the report %s", async (_title, texts, message) => {
    expect(await verdict(gate, {}, texts as Record<string, string>)).toEqual({
      passed: false,
      score: 0,
      message: expect.stringMatching(message),
    });
  });

  test.each(["../secret.json", "/etc/passwd", "leads-out.json"])(
    "does not read what lies outside of the project: %s",
    async (report) => {
      const found = await verdict({ ...gate, report });
      expect(found).toMatchObject({ passed: false, score: 0 });
      expect(found.message).toMatch(/it leads outside the project's folder$/);
    },
  );
});

test("checks stand in the order of the settings, each in its stage, with its severity", async () => {
  const report = await judged([
    { name: "lines", measure: "line_coverage", threshold: 90 },
    { name: "quick", measure: "duration_seconds", threshold: 1, severity: "warning", stage: "fast_hooks" },
    { name: "all", measure: "tests", severity: "optional" },
    { name: "few", measure: "tests_failed", threshold: 0 },
  ]);
  expect(report.checks.map(({ name, severity, passed, threshold }) => [name, severity, passed, threshold]))
    .toEqual([
      ["lines", "required", false, 90],
      ["quick", "warning", false, 1],
      ["all", "optional", false, null],
      ["few", "required", false, 0],
    ]);
  expect(report).toMatchObject({
    fast_hooks: true,
    tests: false,
    comprehensive: false,
    errors: ["lines", "few"],
    warnings: ["quick"],
  });
});

test("why coverage could not be read stands in the report", async () => {
  const report = await judged([], { coverage: null, coverageError: "Cannot read it" });
  expect(report.metadata).toEqual({
    run_id: "01RUN",
    branch_coverage: null,
    coverage_error: "Cannot read it",
  });
  expect(report.coverage).toBe(0);
});
