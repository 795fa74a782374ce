import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { refusal } from "./refusal.ts";
import { type Started, startManager } from "./started-manager.ts";

let started: Started;
beforeEach(async () => void (started = await startManager()));
afterEach(() => started.stop());

const sh = (script: string, more: Record<string, unknown> = {}) => ({ run: ["sh", "-c", script], ...more });

/** Events of one kind of channel, in short. */
function story(channel: string): string[] {
  return started.told().filter(({ channels }) => channels.includes(channel)).map(({ event, data }) => {
    if (event === "workflow.stage_completed") return `${event} ${data.stage_name} ${data.result.status}`;
    if (event === "worker.status_changed") return `${data.worker_id} ${data.status}`;
    return event;
  });
}

const output = async (workflow_id: string, stage_name: string) =>
  await started.request("get_stage_output", { workflow_id, stage_name });
const stages = async (workflow_id: string) =>
  (await started.request("get_workflow_status", { workflow_id })).stages;

describe("run_workflow", () => {
  test("answers the workflow as accepted and tells of its start, with what its stages need", async () => {
    const answer = await started.request("run_workflow", {
      workflow_id: "w",
      definition: { name: "two", stages: { one: sh("exit 0"), two: sh("exit 0", { needs: ["one"] }) } },
      inputs: { prompt: "Build it", adapter: "shell", branch: "main" },
    });
    const stage = {
      status: "pending",
      exit_code: null,
      signal: null,
      duration_ms: null,
      attempts: 0,
      started_at: null,
      ended_at: null,
      worker_id: null,
    };
    expect(answer).toEqual({
      workflow_id: "w",
      status: "pending",
      stages_completed: 0,
      total_stages: 2,
      progress: 0,
      definition: "two",
      created_at: "2026-01-01T00:00:00.000Z",
      started_at: null,
      ended_at: null,
      duration_seconds: 0,
      error: null,
      failed_stage: null,
      stages: [{ name: "one", needs: [], ...stage }, { name: "two", needs: ["one"], ...stage }],
    });
    expect(started.told().find(({ event }) => event === "workflow.started")).toEqual({
      event: "workflow.started",
      channels: ["workflow:w", "global"],
      data: {
        workflow_id: "w",
        definition: "two",
        prompt: "Build it",
        adapter: "shell",
        stages: [{ name: "one", needs: [] }, { name: "two", needs: ["one"] }],
      },
    });
    await started.end("w");
  });

  test("tells each step in order, to the channels of the workflow, the worker and the pool", async () => {
    await started.run("w", { one: sh("echo first"), two: sh("echo second", { needs: ["one"] }) });
    expect(await started.end("w")).toEqual({
      workflow_id: "w",
      result: {
        stages: ["first", "second"].map((word, index) => ({
          name: ["one", "two"][index],
          status: "completed",
          exit_code: 0,
          signal: null,
          duration_ms: 0,
          attempts: 1,
          output_tail: `${word}\n`,
        })),
        total_duration_ms: 0,
      },
    });
    expect(story("workflow:w")).toEqual([
      "workflow.started",
      "workflow.stage_completed one completed",
      "workflow.stage_completed two completed",
      "workflow.completed",
    ]);
    // One worker does both: it is free before what follows is handed out.
    const done = ["default-1 starting", "default-1 running", "default-1 completed"];
    const whole = ["default-1 pending", "default-1 idle", ...done, ...done, "default-1 idle"];
    await started.until(() => story("worker:default-1").length === whole.length);
    expect(story("worker:default-1")).toEqual(whole);
    const pool = story("pool:default").filter((line) => line !== "pool.status_changed");
    expect(pool).toEqual(whole);
  });

  test("runs stages that do not depend on each other side by side", async () => {
    // Each waits for the other: one after the other they would never end.
    const meet = (mine: string, other: string) =>
      sh(`touch ${mine}; until [ -e ${other} ]; do sleep 0.01; done`, { timeout: "60s" });
    await started.run("w", {
      left: meet("l", "r"),
      right: meet("r", "l"),
      last: sh("exit 0", { needs: ["left", "right"] }),
    });
    expect((await started.end("w")).result.stages.map(({ status }: { status: string }) => status)).toEqual([
      "completed",
      "completed",
      "completed",
    ]);
  });

  test("starts no stage before all that it needs are done", async () => {
    await started.run("w", {
      last: sh("cat one two", { needs: ["one", "two"] }),
      one: sh("sleep 0.1; echo 1 > one"),
      two: sh("echo 2 > two"),
    });
    await started.end("w");
    expect(await output("w", "last")).toMatchObject({ status: "completed", output: "1\n2\n" });
  });

  test("hands arguments on as they are, never through a shell", async () => {
    const words = ["a b", "$HOME", "; touch made", "*", "`id`", "ü😀", ""];
    const told = 'for word; do printf "[%s]" "$word"; done';
    await started.run("w", { one: { run: ["sh", "-c", told, "sh", ...words] } });
    await started.end("w");
    expect((await output("w", "one")).output).toBe(words.map((word) => `[${word}]`).join(""));
  });

  test("hands a line to a shell where shell is true", async () => {
    await started.run("w", { one: { run: "echo a b | tr a-z A-Z", shell: true } });
    await started.end("w");
    expect((await output("w", "one")).output).toBe("A B\n");
  });

  test("gives stages their inputs, variables and facts, and no secret of the service", async () => {
    process.env.MAHAVISHNU_JWT_SECRET = "a secret of this test";
    try {
      await started.run("w", {
        one: sh(
          'echo "$INPUT_BRANCH/$LEVEL/$WORKFLOW_ID/$STAGE_NAME/$STAGE_ATTEMPT/${MAHAVISHNU_JWT_SECRET-none}"',
          {
            env: { LEVEL: 3 },
          },
        ),
      }, { inputs: { branch: "$(id)" } });
      await started.end("w");
      expect((await output("w", "one")).output).toBe("$(id)/3/w/one/1/none\n");
    } finally {
      delete process.env.MAHAVISHNU_JWT_SECRET;
    }
  });

  test("runs stages in the working directory, or in their own folder from there on", async () => {
    await mkdir(join(started.folder, "sub"));
    await started.run("w", { one: sh("touch here"), two: sh("touch there", { cwd: "sub" }) });
    await started.end("w");
    expect(await readFile(join(started.folder, "here"), "utf8")).toBe("");
    expect(await readFile(join(started.folder, "sub", "there"), "utf8")).toBe("");
  });

  test("reads a definition's file by its name", async () => {
    await started.write("workflows/build.yaml", "stages:\n  one:\n    run: [echo, hello]\n");
    await started.request("run_workflow", { workflow_id: "w", definition: "build" });
    await started.end("w");
    expect((await output("w", "one")).output).toBe("hello\n");
  });
});

describe("a stage that fails", () => {
  test("is tried again as often as it says, and its last attempt counts", async () => {
    await started.run("w", {
      one: sh("echo attempt $STAGE_ATTEMPT; [ $STAGE_ATTEMPT = 3 ]", { retries: 5 }),
    });
    expect((await started.end("w")).result.stages[0]).toMatchObject({
      status: "completed",
      attempts: 3,
      output_tail: "attempt 3\n",
    });
    expect(story("workflow:w").filter((line) => line.includes("stage_completed"))).toHaveLength(1);
    expect(await started.request("get_pool_status", { pool_id: "default" })).toMatchObject({
      tasks_completed: 1,
      tasks_failed: 2,
    });
  });

  test("brings its workflow down when no retry is left; the rest is ended or skipped", async () => {
    await started.run("w", {
      bad: sh("until [ -e running ]; do sleep 0.01; done; exit 7", { retries: 1 }),
      beside: sh("touch running; exec sleep 1000"),
      after: sh("touch after", { needs: ["bad"] }),
    });
    expect(await started.end("w")).toMatchObject({
      error: "Stage 'bad' exited with 7, in 2 attempts",
      failed_stage: "bad",
      result: {
        stages: [
          { name: "bad", status: "failed", exit_code: 7, attempts: 2 },
          { name: "beside", status: "cancelled", exit_code: null, signal: "SIGTERM" },
          { name: "after", status: "skipped", attempts: 0, duration_ms: null },
        ],
      },
    });
    expect(await started.request("get_workflow_status", { workflow_id: "w" })).toMatchObject({
      status: "failed",
      failed_stage: "bad",
      stages_completed: 0,
    });
  });

  test("counts as done where it says continue_on_error", async () => {
    await started.run("w", {
      bad: sh("exit 1", { continue_on_error: true }),
      after: sh("exit 0", { needs: ["bad"] }),
    });
    expect((await started.end("w")).error).toBeUndefined();
    expect(await started.request("get_workflow_status", { workflow_id: "w" })).toMatchObject({
      status: "completed",
      stages_completed: 2,
      progress: 100,
      stages: [{ status: "failed", exit_code: 1 }, { status: "completed" }],
    });
  });

  test("by a signal says which", async () => {
    await started.run("w", { one: sh("kill -SEGV $$") });
    expect(await started.end("w")).toMatchObject({
      error: "Stage 'one' was ended by SIGSEGV",
      result: { stages: [{ status: "failed", exit_code: null, signal: "SIGSEGV" }] },
    });
  });

  test.each([
    ["a command that is not found", { run: ["no-such-program"] }, /there is no such program/],
    ["a folder that is missing", sh("exit 0", { cwd: "missing" }), /no such folder/],
    ["a file that may not be run", { run: ["/etc/passwd"] }, /may not be run/],
    ["a command of 3 MB", { run: ["true", "x".repeat(3_000_000)] }, /Cannot start "true"/],
  ])("by %s says so", async (_, stage, reason) => {
    await started.run("w", { one: stage });
    const { error, result } = await started.end("w");
    expect(error).toMatch(/^Stage 'one' could not be started: Cannot start /);
    expect(error).toMatch(reason);
    expect(result.stages).toMatchObject([{ status: "failed", exit_code: null, signal: null, attempts: 1 }]);
    expect((await output("w", "one")).output).toMatch(reason);
  });
});

describe("a stage that takes too long", () => {
  test("is ended at its timeout, and tried again", async () => {
    await started.run("w", {
      one: sh("echo $STAGE_ATTEMPT; exec sleep 1000", { timeout: "30s", retries: 1 }),
    });
    for (const attempt of ["1\n", "2\n"]) {
      let seen = "";
      await started.until(() => {
        seen = started.manager.getStageOutput({ workflow_id: "w", stage_name: "one" }).output;
        return seen === attempt;
      });
      started.clock.advance(30_000);
    }
    expect(await started.end("w")).toMatchObject({
      error: "Stage 'one' took longer than 30000 ms, in 2 attempts",
      result: {
        stages: [{ status: "timeout", exit_code: null, signal: "SIGTERM", attempts: 2, duration_ms: 30_000 }],
        total_duration_ms: 60_000,
      },
    });
  });

  test("is not ended a moment before", async () => {
    await started.run("w", {
      one: sh("echo ready; until [ -e go ]; do sleep 0.01; done", { timeout: "30s" }),
    });
    await started.until(() =>
      started.manager.getStageOutput({ workflow_id: "w", stage_name: "one" }).output === "ready\n"
    );
    started.clock.advance(29_999);
    await started.write("go", "");
    expect((await started.end("w")).result.stages).toMatchObject([{
      status: "completed",
      duration_ms: 29_999,
    }]);
  });
});

describe("a stage's output", () => {
  test("can be read while it is written", async () => {
    await started.run("w", {
      one: sh("echo out; echo err >&2; until [ -e go ]; do sleep 0.01; done; echo end"),
    });
    await started.until(() =>
      started.manager.getStageOutput({ workflow_id: "w", stage_name: "one" }).total_bytes === 8
    );
    expect(await output("w", "one")).toMatchObject({ status: "running", attempts: 1, omitted_bytes: 0 });
    await started.write("go", "");
    await started.end("w");
    const end = await output("w", "one");
    expect(end).toMatchObject({ status: "completed", total_bytes: 12 });
    expect(end.output.split("\n").sort()).toEqual(["", "end", "err", "out"]);
  });

  test("of 100 MiB is kept to its bound, in bounded memory", async () => {
    const before = process.memoryUsage.rss();
    let most = 0;
    const watch = setInterval(() => most = Math.max(most, process.memoryUsage.rss()), 10);
    await started.run("w", {
      one: sh("echo begin; head -c 104857600 /dev/zero | tr '\\0' x; echo; echo end"),
    });
    await started.end("w");
    clearInterval(watch);
    expect(most - before).toBeLessThan(100 * 2 ** 20);
    const { output: text, ...rest } = await output("w", "one");
    expect(rest).toMatchObject({ total_bytes: 104_857_611, omitted_bytes: 104_857_611 - 65_536 });
    expect(text).toMatch(/^begin\nx+\n\[\.\.\. 104792075 bytes left out \.\.\.\]\nx+\nend\n$/);
    expect(text.length).toBeLessThan(65_600);
  }, 60_000);

  test("is empty for a stage that has not run, and unknown for one that is none", async () => {
    await started.run("w", { one: sh("exit 1"), two: sh("exit 0", { needs: ["one"] }) });
    await started.end("w");
    expect(await output("w", "two")).toEqual({
      workflow_id: "w",
      stage_name: "two",
      status: "skipped",
      attempts: 0,
      output: "",
      total_bytes: 0,
      omitted_bytes: 0,
    });
    expect(await refusal(output("w", "three"))).toBe("NOT_FOUND No stage 'three' in workflow 'w'");
    expect(await refusal(output("v", "one"))).toBe("NOT_FOUND No workflow 'v'");
  });
});

test("get_workflow_status tells how far a workflow is while it runs", async () => {
  await started.run("w", {
    one: sh("exit 0"),
    two: sh("until [ -e go ]; do sleep 0.01; done", { needs: ["one"] }),
    three: sh("exit 0", { needs: ["two"] }),
  });
  await started.until(() =>
    story("worker:default-1").at(-1) === "default-1 running" && story("workflow:w").length === 2
  );
  started.clock.advance(2_500);
  expect(await started.request("get_workflow_status", { workflow_id: "w" })).toMatchObject({
    status: "running",
    stages_completed: 1,
    total_stages: 3,
    progress: 33,
    started_at: "2026-01-01T00:00:00.000Z",
    ended_at: null,
    duration_seconds: 2.5,
    stages: [
      { status: "completed", attempts: 1 },
      { status: "running", attempts: 1, worker_id: "default-1", ended_at: null },
      { status: "pending", attempts: 0, worker_id: null },
    ],
  });
  await started.write("go", "");
  await started.end("w");
  expect((await stages("w")).map(({ status }) => status)).toEqual(["completed", "completed", "completed"]);
});
