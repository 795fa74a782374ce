import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { executable } from "../../support/start-program.ts";
import { PASSING, startWithNode } from "./started-manager.ts";

const LCOV = "TN:\nSF:a.js\nDA:1,1\nDA:2,1\nDA:3,1\nDA:4,0\nLF:4\nLH:3\nBRF:2\nBRH:1\nend_of_record\n";
const LONG = { timeout: 30_000 };

describe("coverage", LONG, () => {
  it("that a run leaves is told on both channels, and an older file is not taken for it", async () => {
    const { request, heard, told, write } = await startWithNode(PASSING, () => ({
      projects: {
        app: {
          path: "app",
          command: [
            executable("node")!,
            "-e",
            `require("fs").mkdirSync("coverage"); require("fs").writeFileSync("coverage/lcov.info", process.env.LCOV)`,
          ],
          environment: { LCOV },
        },
      },
    }));
    await write("app/coverage.xml", `<coverage line-rate="0.1"/>`);
    const { run_id } = await request("run_tests", { project: "app" });
    const { data } = await heard("coverage.updated");
    expect(data).toEqual({
      project: "app",
      line_coverage: 75,
      branch_coverage: 50,
      path_coverage: null,
      files: 1,
      run_id,
    });
    expect(told().find(({ event }) => event === "coverage.updated")!.channels).toEqual([
      "quality:app",
      "coverage",
    ]);
  });

  it("can be reported, as text or as a file of the project", async () => {
    const { request, told, write, manager } = await startWithNode(PASSING);
    const report = await request("report_coverage", { project: "app", content: LCOV });
    expect(report).toMatchObject({ line_coverage: 75, branch_coverage: 50, format: "lcov", run_id: null });
    await write(
      "app/cov.xml",
      `<coverage line-rate="0.5" branch-rate="0.25"><class filename="a"/></coverage>`,
    );
    await request("report_coverage", { project: "app", path: "cov.xml" });
    expect(told().map(({ event, channels, data }) => [event, channels, data.line_coverage])).toEqual([
      ["coverage.updated", ["quality:app", "coverage"], 75],
      ["coverage.updated", ["quality:app", "coverage"], 50],
    ]);
    expect(manager.snapshot("coverage", null)).toMatchObject({
      projects: [{ project: "app", line_coverage: 50 }],
    });
  });

  it("is refused where it cannot be read, is nowhere, or outside", async () => {
    const { request, write } = await startWithNode(PASSING);
    await write("secret.info", LCOV);
    const refusal = (data: Record<string, unknown>) =>
      request("report_coverage", { project: "app", ...data }).catch(({ code, message }) =>
        `${code} ${message}`
      );
    expect(await refusal({})).toBe("INVALID_DATA Expected either 'path' or 'content', got neither");
    expect(await refusal({ path: "a", content: "b" })).toBe(
      "INVALID_DATA Expected either 'path' or 'content', got both",
    );
    expect(await refusal({ path: "none.info" })).toContain('INVALID_DATA Cannot read the report "none.info"');
    expect(await refusal({ path: "../secret.info" })).toContain("leads outside the project's folder");
    expect(await refusal({ content: "hello" })).toContain("expected lcov, Cobertura XML or Istanbul's");
  });
});

describe("gates", LONG, () => {
  const gates: JsonObject[] = [
    { name: "tests", measure: "tests" },
    { name: "coverage", measure: "line_coverage", threshold: 80, severity: "warning" },
    {
      name: "lint",
      report: "lint.json",
      pointer: "/errors",
      threshold: 0,
      compare: "at_most",
      stage: "fast_hooks",
    },
  ];
  const settings = () => ({ projects: { app: { path: "app", gates } } });

  it("are held against a project after a run, one event each, with the report of all", async () => {
    const { request, heard, told, write } = await startWithNode(PASSING, settings);
    await write("app/lint.json", `{"errors": 2}`);
    await request("report_coverage", { project: "app", content: LCOV });
    await request("run_tests", { project: "app" });
    await heard("quality_gate.checked", ({ gate_name }) => gate_name === "lint");
    const checked = told().filter(({ event }) => event === "quality_gate.checked");
    expect(
      checked.map((
        { channels, data },
      ) => [data.gate_name, data.status, data.score, data.threshold, channels]),
    ).toEqual([
      ["tests", "passed", 100, null, ["quality:app"]],
      ["coverage", "failed", 75, 80, ["quality:app", "global"]],
      ["lint", "failed", 2, 0, ["quality:app", "global"]],
    ]);
    const { quality_gate_report: report } = checked[0]!.data;
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
    expect(report).toMatchObject({
      fast_hooks: false,
      tests: true,
      comprehensive: true,
      coverage: 75,
      errors: ["lint"],
      passed: false,
      blocking_failure: true,
      warnings: ["coverage"],
      required_check_failures: ["lint"],
    });
  });

  it("can be asked for without a trace, and checked with one", async () => {
    const { request, told, write, manager } = await startWithNode(PASSING, settings);
    const before = await request("get_quality_gate", { project: "app" });
    expect(before).toMatchObject({ project: "app", status: "failed", tests: false });
    expect(before.gates.map(({ message }) => message)).toEqual([
      "No run of the tests has ended yet",
      "Expected at least 80, got nothing: it was not measured yet",
      expect.stringContaining('Cannot read the report "lint.json"'),
    ]);
    expect(told()).toEqual([]);
    expect(manager.snapshot("quality", "app")).toBeNull();
    await write("app/lint.json", `{"errors": 0}`);
    const checked = await request("check_quality", { project: "app" });
    expect(checked).toMatchObject({
      fast_hooks: true,
      gates: [{ passed: false }, { passed: false }, { passed: true }],
    });
    expect(told().map(({ event }) => event)).toEqual(Array(3).fill("quality_gate.checked"));
    expect(manager.snapshot("quality", "app")).toMatchObject({
      project: "app",
      report: { fast_hooks: true },
    });
    expect(await request("get_quality_gate", { project: "none" })).toEqual({
      project: "none",
      status: "not_found",
      gates: [],
    });
  });
});

describe("the gates of a project", LONG, () => {
  it("are not held by a run of a part of its tests", async () => {
    const { request, heard, told } = await startWithNode(
      `import test from "node:test"; test("good", () => {}); test("bad", () => { throw new Error("bad"); });`,
    );
    await request("run_tests", { project: "app" });
    await heard("quality_gate.checked");
    told();
    const { run_id } = await request("run_tests", { project: "app", filter: "good" });
    const { data } = await heard("test.completed", (data) => data.run_id === run_id);
    expect(data).toMatchObject({ outcome: "passed", tests_failed: 0 });
    expect(told().map(({ event }) => event)).toEqual(["test.started", "test.completed"]);
    expect(await request("get_quality_gate", { project: "app" })).toMatchObject({
      status: "failed",
      gates: [{ message: "1 passed, 1 failed, 0 skipped", score: 50 }],
    });
  });
});
