import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { lineLog } from "../../../src/ports/log.ts";
import { executable } from "../../support/start-program.ts";
import { isRunning } from "./started-execution.ts";
import { PASSING, startInTest, startWaiting, startWithNode } from "./started-manager.ts";

const MIXED = `
import assert from "node:assert"; import test from "node:test";
test("passes", () => {}); test("fails", () => assert.equal(1, 2)); test.skip("is left out", () => {});
`;
const LONG = { timeout: 30_000 };

describe("a run", LONG, () => {
  it("of a folder in a root is found out, run, told in order, and counted", async () => {
    const { request, heard, told } = await startWithNode(MIXED);
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
    const { request, heard, write } = await startWaiting();
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
    const { request, heard, write } = await startWaiting({
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
    const { request, heard } = await startWaiting({ queued_runs: 1 });
    await request("run_tests", { project: "slow" });
    await heard("test.started");
    await request("run_tests", { project: "slow" });
    await expect(request("run_tests", { project: "slow" })).rejects.toMatchObject({
      code: "NOT_AVAILABLE",
      message: expect.stringContaining("1 runs wait already"),
    });
  });

  it("takes a command and a filter only where that is allowed and understood", async () => {
    const { request } = await startWithNode(PASSING);
    await expect(request("run_tests", { project: "app", command: ["true"] })).rejects.toMatchObject({
      code: "FORBIDDEN",
    });
    const { command } = await request("run_tests", { project: "app", filter: "adds" });
    expect(command).toEqual(["node", "--test", "--test-name-pattern=adds"]);
  });

  it("runs a given command where the settings allow it", async () => {
    const { request, heard } = await startWithNode(PASSING, () => ({ allow_commands: true }));
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
    const { request, heard, database } = await startWaiting();
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
    const { request, folder } = await startInTest((folder) => ({
      roots: [join(folder, "root")],
      projects: { gone: { path: "gone" }, away: { path: folder }, up: { path: ".." } },
    }));
    await mkdir(join(folder, "root/app"), { recursive: true });
    await symlink(folder, join(folder, "root/link"));
    const code = (project: string) => request("run_tests", { project }).catch((error) => error);
    expect(await code("nothing")).toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining(
        "expected one of gone, away, up, or a folder of that name in one of the setting 'roots'",
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
    const { request, write, heard } = await startInTest((folder) => ({
      roots: [join(folder, "mine")],
    }));
    await write("mine/package.json", JSON.stringify({ type: "module", scripts: { test: "node --test" } }));
    await write("mine/a.test.js", PASSING);
    await request("run_tests", { project: "mine" });
    expect((await heard("test.completed")).data).toMatchObject({ project: "mine", tests_completed: 2 });
  });

  it("whose folder goes while its run waits ends as crashed", async () => {
    const { request, heard, folder } = await startWaiting();
    const first = await request("run_tests", { project: "slow" });
    const second = await request("run_tests", { project: "slow" });
    await heard("test.failed");
    await rm(join(folder, "slow"), { recursive: true });
    await request("cancel_run", { run_id: first.run_id });
    const { data } = await heard("test.completed", ({ run_id }) => run_id === second.run_id);
    expect(data).toMatchObject({ outcome: "crashed", error: expect.stringContaining("does not exist") });
  });
});

describe("a service that ends", LONG, () => {
  it("in order ends its runs as cancelled and takes up at its next start what waits", async () => {
    const own = await startWaiting();
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
    const own = await startWaiting({}, lineLog({ level: "warn", write: (line) => lines.push(line) }));
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
    const { request, heard } = await startWithNode(PASSING, () => ({ keep_runs: 2 }));
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
    const { request, heard, manager } = await startWithNode(PASSING);
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

describe("a database that takes nothing for a while", LONG, () => {
  it("has the end of a run when it is well again, and the next run goes on", async () => {
    const { request, heard, write, database, log } = await startWaiting();
    const first = await request("run_tests", { project: "slow" });
    const second = await request("run_tests", { project: "slow" });
    await heard("test.failed");
    database.exec(
      "CREATE TRIGGER refused BEFORE INSERT ON events WHEN NEW.event = 'test.completed' " +
        "BEGIN SELECT RAISE(ABORT, 'refused by this test'); END",
    );
    await write("slow/go", "");
    await expect.poll(log, { timeout: 20_000 }).toContain("is tried again");
    expect(await request("get_test_status", { run_id: first.run_id })).toMatchObject({ status: "running" });
    database.exec("DROP TRIGGER refused");
    await heard("test.completed", ({ run_id }) => run_id === first.run_id);
    await heard("test.completed", ({ run_id }) => run_id === second.run_id);
  });
});

describe("a run's environment", LONG, () => {
  it("holds no secret of a service", async () => {
    vi.stubEnv("CRACKERJACK_JWT_SECRET", "for-services-only");
    vi.stubEnv("BODAI_SHARED_SECRET", "for-services-only");
    try {
      const { request, heard } = await startInTest(() => ({
        projects: { app: { path: ".", command: [executable("node")!, "-e", "console.log(process.env)"] } },
      }));
      const { run_id } = await request("run_tests", { project: "app" });
      await heard("test.completed");
      const { output_tail } = await request("get_test_status", { run_id });
      expect(output_tail).toContain("PATH");
      expect(output_tail).not.toContain("for-services-only");
    } finally {
      vi.unstubAllEnvs();
    }
  });
});
