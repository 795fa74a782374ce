import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { lineLog } from "../../../src/ports/log.ts";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { executable } from "../../support/start-program.ts";
import { isRunning } from "./started-execution.ts";
import { type Started, startManager, WAITING_TAP } from "./started-manager.ts";

const PASSING = `import test from "node:test"; test("adds", () => {}); test("takes away", () => {});`;
const MIXED = `
import assert from "node:assert"; import test from "node:test";
test("passes", () => {}); test("fails", () => assert.equal(1, 2)); test.skip("is left out", () => {});
`;
const LCOV = "TN:\nSF:a.js\nDA:1,1\nDA:2,1\nDA:3,1\nDA:4,0\nLF:4\nLH:3\nBRF:2\nBRH:1\nend_of_record\n";
const LONG = { timeout: 30_000 };

let started: Started | undefined;
afterEach(async () => {
  await started?.stop();
  started = undefined;
});

/** A manager with a project whose run goes on until the file `go` is there. */
async function waiting(
  settings: JsonObject = {},
  log?: Parameters<typeof startManager>[1],
): Promise<Started> {
  const project = { path: "slow", command: [executable("node")!, "tests.mjs"], runner: "tap" };
  started = await startManager(() => ({ projects: { slow: project }, ...settings }), log);
  await started.write("slow/tests.mjs", WAITING_TAP);
  return started;
}

async function withNode(text: string, settings?: (folder: string) => JsonObject): Promise<Started> {
  started = await startManager(settings);
  await started.write(
    "app/package.json",
    JSON.stringify({ type: "module", scripts: { test: "node --test" } }),
  );
  await started.write("app/app.test.js", text);
  return started;
}

describe("a run", LONG, () => {
  it("of a folder in a root is found out, run, told in order, and counted", async () => {
    const { request, heard, told } = await withNode(MIXED);
    const accepted = await request("run_tests", { project: "app" });
    expect(accepted).toMatchObject({
      project: "app",
      status: "queued",
      queue_position: 1,
      test_suite: "node",
      command: ["node", "--test"],
      total: null,
    });
    const { run_id } = accepted;
    await heard("quality_gate.checked");
    const counts = { tests_completed: 3, tests_failed: 1, tests_skipped: 1 };
    expect(told()).toEqual([
      {
        event: "test.started",
        channels: [`test:${run_id}`, "global"],
        data: { run_id, project: "app", test_suite: "node", total_tests: null, command: ["node", "--test"] },
      },
      {
        event: "test.failed",
        channels: [`test:${run_id}`],
        data: expect.objectContaining({ run_id, test_name: "fails", file: "app.test.js" }),
      },
      {
        event: "test.completed",
        channels: [`test:${run_id}`, "global"],
        data: expect.objectContaining({ run_id, project: "app", ...counts, exit_code: 1, outcome: "failed" }),
      },
      {
        event: "quality_gate.checked",
        channels: ["quality:app", "global"],
        data: expect.objectContaining({ gate_name: "tests", status: "failed", score: 50, threshold: null }),
      },
    ]);
    expect(await request("get_test_status", { run_id })).toMatchObject({
      status: "failed",
      done: 3,
      passed: 1,
      failed: 1,
      skipped: 1,
      total: 3,
      eta_seconds: 0,
      failures: [{ test_name: "fails" }],
    });
  });

  it("shows its progress while it goes on", async () => {
    const { request, heard, write } = await waiting();
    const { run_id } = await request("run_tests", { project: "slow" });
    await heard("test.failed");
    const running = await request("get_test_status", { run_id });
    expect(running).toMatchObject({
      status: "running",
      total: 4,
      done: 2,
      passed: 1,
      failed: 1,
      queue_position: null,
    });
    expect(running.rate).toBeGreaterThan(0);
    expect(running.eta_seconds).toBeGreaterThan(0);
    await write("slow/go", "");
    const { data } = await heard("test.completed");
    expect(data).toMatchObject({ tests_completed: 4, tests_failed: 1, outcome: "failed" });
    const ended = await request("get_test_status", { run_id });
    expect(ended.duration_seconds).toBe(data.duration_seconds);
  });

  it("waits for the one before of the same project, and for no other", async () => {
    const tests = { command: [executable("node")!, "tests.mjs"], runner: "tap" };
    const { request, heard, write } = await waiting({
      projects: { slow: { path: "slow", ...tests }, other: { path: "other", ...tests } },
    });
    await write("other/tests.mjs", `console.log("1..1\\nok 1 - only")`);
    const first = await request("run_tests", { project: "slow" });
    const second = await request("run_tests", { project: "slow" });
    const other = await request("run_tests", { project: "other" });
    await heard("test.completed", ({ run_id }) => run_id === other.run_id);
    expect(await request("get_test_status", { run_id: second.run_id })).toMatchObject({
      status: "queued",
      queue_position: 1,
    });
    await write("slow/go", "");
    await heard("test.completed", ({ run_id }) => run_id === second.run_id);
    const { runs } = await request("list_runs", { project: "slow" });
    expect(runs.map(({ run_id }) => run_id)).toEqual([second.run_id, first.run_id]);
    expect(Date.parse(runs[0]!.started_at!)).toBeGreaterThanOrEqual(Date.parse(runs[1]!.ended_at!));
  });

  it("is refused where too many wait", async () => {
    const { request, heard } = await waiting({ queued_runs: 1 });
    await request("run_tests", { project: "slow" });
    await heard("test.started");
    await request("run_tests", { project: "slow" });
    await expect(request("run_tests", { project: "slow" })).rejects.toMatchObject({
      code: "NOT_AVAILABLE",
      message: expect.stringContaining("1 runs wait already"),
    });
  });

  it("takes a command and a filter only where that is allowed and understood", async () => {
    const { request } = await withNode(PASSING);
    await expect(request("run_tests", { project: "app", command: ["true"] })).rejects.toMatchObject({
      code: "FORBIDDEN",
    });
    const { command } = await request("run_tests", { project: "app", filter: "adds" });
    expect(command).toEqual(["node", "--test", "--test-name-pattern=adds"]);
  });

  it("runs a given command where the settings allow it", async () => {
    const { request, heard } = await withNode(PASSING, () => ({ allow_commands: true }));
    const { run_id } = await request("run_tests", { project: "app", command: ["no-such-program"] });
    const { data } = await heard("test.completed", (data) => data.run_id === run_id);
    expect(data).toMatchObject({
      outcome: "crashed",
      exit_code: null,
      error: expect.stringContaining("no-such-program"),
    });
    await expect(request("run_tests", { project: "app", command: ["true"], filter: "x" })).rejects
      .toMatchObject({
        code: "INVALID_DATA",
      });
  });
});

describe("cancel_run", LONG, () => {
  it("ends a run that runs and takes one that waits out of the queue", async () => {
    const { request, heard, database } = await waiting();
    const first = await request("run_tests", { project: "slow" });
    const second = await request("run_tests", { project: "slow" });
    await heard("test.failed");
    const { mark } = database.prepare("SELECT mark FROM runs WHERE run_id = ?").get<{ mark: string }>(
      first.run_id,
    )!;
    expect(isRunning([JSON.parse(mark)])).toBe(true);
    expect(await request("cancel_run", { run_id: second.run_id })).toMatchObject({ status: "cancelled" });
    expect(await request("cancel_run", { run_id: first.run_id })).toMatchObject({ status: "cancelling" });
    expect(await request("cancel_run", { run_id: first.run_id })).toMatchObject({ status: "cancelling" });
    expect((await heard("test.completed", ({ run_id }) => run_id === first.run_id)).data).toMatchObject({
      outcome: "cancelled",
      tests_completed: 3,
    });
    expect(isRunning([JSON.parse(mark)])).toBe(false);
    await expect(request("cancel_run", { run_id: first.run_id })).rejects.toMatchObject({ code: "CONFLICT" });
    await expect(request("cancel_run", { run_id: "none" })).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("a project", LONG, () => {
  it("that nobody knows, or that lies elsewhere, is refused with what was expected", async () => {
    const { request, folder } = started = await startManager((folder) => ({
      roots: [join(folder, "root")],
      projects: { gone: { path: "gone" }, away: { path: folder }, up: { path: ".." } },
    }));
    await mkdir(join(folder, "root/app"), { recursive: true });
    await symlink(folder, join(folder, "root/link"));
    const code = (project: string) => request("run_tests", { project }).catch((error) => error);
    expect(await code("nothing")).toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining(
        "expected one of gone, away, up, or a folder of that name in the roots (",
      ),
    });
    expect(await code("../app")).toMatchObject({ code: "NOT_FOUND" });
    expect(await code("gone")).toMatchObject({
      code: "NOT_AVAILABLE",
      message: expect.stringContaining("does not exist"),
    });
    for (const name of ["away", "up", "link"]) {
      expect(await code(name)).toMatchObject({
        code: "NOT_AVAILABLE",
        message: expect.stringContaining("outside the allowed roots"),
      });
    }
    expect(await code("app")).toMatchObject({
      code: "NOT_AVAILABLE",
      message: expect.stringContaining("Cannot tell how the tests"),
    });
  });

  it("is also a root itself, by its folder's name", async () => {
    const { request, write, heard } = started = await startManager((folder) => ({
      roots: [join(folder, "mine")],
    }));
    await write("mine/package.json", JSON.stringify({ type: "module", scripts: { test: "node --test" } }));
    await write("mine/a.test.js", PASSING);
    await request("run_tests", { project: "mine" });
    expect((await heard("test.completed")).data).toMatchObject({ project: "mine", tests_completed: 2 });
  });

  it("whose folder goes while its run waits ends as crashed", async () => {
    const { request, heard, folder } = await waiting();
    const first = await request("run_tests", { project: "slow" });
    const second = await request("run_tests", { project: "slow" });
    await heard("test.failed");
    await rm(join(folder, "slow"), { recursive: true });
    await request("cancel_run", { run_id: first.run_id });
    const { data } = await heard("test.completed", ({ run_id }) => run_id === second.run_id);
    expect(data).toMatchObject({ outcome: "crashed", error: expect.stringContaining("does not exist") });
  });
});

describe("coverage", LONG, () => {
  it("that a run leaves is told on both channels, and an older file is not taken for it", async () => {
    const { request, heard, told, write } = await withNode(PASSING, () => ({
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
    const { request, told, write, manager } = await withNode(PASSING);
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
    const { request, write } = await withNode(PASSING);
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
    const { request, heard, told, write } = await withNode(PASSING, settings);
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
    const { request, told, write, manager } = await withNode(PASSING, settings);
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

describe("a service that ends", LONG, () => {
  it("in order ends its runs as cancelled and takes up at its next start what waits", async () => {
    const own = await waiting();
    const { request, heard, database } = own;
    const first = await request("run_tests", { project: "slow" });
    const second = await request("run_tests", { project: "slow" });
    await heard("test.failed");
    const { mark } = database.prepare("SELECT mark FROM runs WHERE run_id = ?").get<{ mark: string }>(
      first.run_id,
    )!;
    await own.restart("orderly");
    expect(isRunning([JSON.parse(mark)])).toBe(false);
    expect(await request("get_test_status", { run_id: first.run_id })).toMatchObject({
      status: "cancelled",
      error: "The service was stopped",
    });
    await own.write("slow/go", "");
    expect((await heard("test.completed", ({ run_id }) => run_id === second.run_id)).data.outcome).toBe(
      "failed",
    );
  });

  it("without a word is followed by one that ends what was left and tells it", async () => {
    const lines: string[] = [];
    const own = await waiting({}, lineLog({ level: "warn", write: (line) => lines.push(line) }));
    const { request, heard } = own;
    const { run_id } = await request("run_tests", { project: "slow" });
    await heard("test.failed");
    const { mark, folder } = own.database
      .prepare("SELECT mark, folder FROM runs WHERE run_id = ?").get<{ mark: string; folder: string }>(
        run_id,
      )!;
    await own.restart();
    expect(isRunning([JSON.parse(mark)])).toBe(false);
    await expect(import("node:fs/promises").then(({ access }) => access(folder))).rejects.toThrow();
    expect((await heard("test.completed")).data).toMatchObject({
      run_id,
      outcome: "crashed",
      tests_completed: 2,
      tests_failed: 1,
      error: "interrupted: the service ended while it ran",
    });
    expect(lines.join("\n")).toContain("Processes of an earlier run were ended");
  });

  it("keeps as many runs as it is told", async () => {
    const { request, heard } = await withNode(PASSING, () => ({ keep_runs: 2 }));
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) {
      const { run_id } = await request("run_tests", { project: "app" });
      ids.unshift(run_id);
      await heard("test.completed", (data) => data.run_id === run_id);
    }
    const { runs, next_cursor } = await request("list_runs", { limit: 1 });
    expect(runs.map(({ run_id }) => run_id)).toEqual(ids.slice(0, 1));
    const more = await request("list_runs", { limit: 1, cursor: next_cursor });
    expect(more.runs.map(({ run_id }) => run_id)).toEqual(ids.slice(1, 2));
    expect(more.next_cursor).toBeNull();
    await expect(request("list_runs", { cursor: "nonsense" })).rejects.toMatchObject({
      code: "INVALID_DATA",
    });
  });
});

describe("getStatus", LONG, () => {
  it("tells of the service, and with an id of that object", async () => {
    const { request, heard, manager } = await withNode(PASSING);
    const { run_id } = await request("run_tests", { project: "app" });
    await heard("quality_gate.checked");
    await expect.poll(() => manager.getStatus({})).toEqual({
      projects: [],
      runs: { passed: 1 },
      runs_active: 0,
      runs_queued: 0,
    });
    expect(await manager.getStatus({ run_id })).toMatchObject({ run_id, status: "passed" });
    expect(await manager.getStatus({ run_id: "none" })).toEqual({ run_id: "none", status: "not_found" });
    expect(await manager.getStatus({ project: "app" })).toMatchObject({ project: "app", status: "passed" });
    expect(manager.snapshot("test", run_id)).toMatchObject({ run_id, status: "passed" });
    expect(manager.snapshot("test", "none")).toBeNull();
  });
});
