import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Started, startManager } from "./started-manager.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Quick, and without processes or ports. */
const FAST_PART = ["test/protocol", "test/limits"];

interface Summary {
  readonly numTotalTests: number;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

describe("the fast part of this project's own tests, run by crackerjack", () => {
  let started: Started;
  beforeAll(async () => {
    started = await startManager(() => ({ roots: [root], projects: { own: {} }, allow_commands: true }));
  });
  afterAll(() => started.stop());

  it("gives the counts that Vitest itself gives", { timeout: 180_000 }, async () => {
    const report = join(started.folder, "report.json");
    const { run_id } = await started.request("run_tests", {
      project: "own",
      command: [
        "node_modules/.bin/vitest",
        "run",
        ...FAST_PART,
        "--reporter=json",
        `--outputFile.json=${report}`,
      ],
    });
    const { data } = await started.heard("test.completed");
    const summary: Summary = JSON.parse(await readFile(report, "utf8"));
    expect(summary.numPassedTests).toBeGreaterThan(300);
    const failed = summary.testResults.flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status }) => status === "failed").map(({ fullName }) => fullName);
    expect(failed).toEqual([]);
    expect(data).toMatchObject({
      outcome: "passed",
      exit_code: 0,
      tests_completed: summary.numTotalTests,
      tests_failed: summary.numFailedTests,
      tests_skipped: summary.numPendingTests,
    });
    expect(await started.request("get_test_status", { run_id })).toMatchObject({
      passed: summary.numPassedTests,
      test_suite: "vitest",
    });
  });
});
