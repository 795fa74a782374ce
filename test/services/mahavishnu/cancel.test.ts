import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { refusal } from "./refusal.ts";
import { type Started, startManager } from "./started-manager.ts";
import { processesOf, tellsProcesses } from "./workflow-processes.ts";

let started: Started;
beforeEach(async () =>
  void (started = await startManager({ stop_grace_ms: 200, pools: { default: { min: 1, max: 2 } } }))
);
afterEach(() => started.stop());

const sh = (script: string, more: Record<string, unknown> = {}) => ({ run: ["sh", "-c", script], ...more });
const SLEEP = sh("echo ready; exec sleep 1000");

const cancel = (workflow_id: string) => started.request("cancel_workflow", { workflow_id });
const status = (workflow_id: string) => started.manager.getWorkflowStatus({ workflow_id });
const isReady = (workflow_id: string, stage_name = "one", text = "ready\n") =>
  started.until(() => started.manager.getStageOutput({ workflow_id, stage_name }).output === text);

/** What was told of a workflow, in short. */
const story = (id: string) =>
  started.told().filter(({ channels }) => channels.includes(`workflow:${id}`))
    .map(({ event, data }) => data.stage_name ? `${event} ${data.stage_name} ${data.result.status}` : event);

/** What was told of the first worker. */
const workerStory = () =>
  started.told().filter(({ event }) => event === "worker.status_changed").map(({ data }) => data.status);

/** Nothing is under way and no worker is lost. */
async function expectRest(): Promise<void> {
  await started.until(() => started.manager.getPoolStatus({ pool_id: "default" }).active_workers === 0);
  expect(started.manager.getStatus({})).toMatchObject({ workflows_active: 0 });
  expect(started.database.prepare("SELECT * FROM children").all()).toEqual([]);
  expect(started.log.filter((line) => / (WARN|ERROR) /.test(line))).toEqual([]);
}

describe("cancel_workflow", () => {
  test("of one whose stage runs ends its process, tells it, and skips the rest", async () => {
    await started.run("w", { one: SLEEP, two: sh("exit 0", { needs: ["one"] }) });
    await isReady("w");
    expect(await cancel("w")).toMatchObject({
      status: "cancelling",
      stages: [{ status: "running" }, { status: "pending" }],
    });
    expect(await started.end("w")).toMatchObject({
      error: "cancelled",
      failed_stage: null,
      result: { stages: [{ status: "cancelled", signal: "SIGTERM" }, { status: "skipped" }] },
    });
    expect(status("w")).toMatchObject({ status: "cancelled", error: "cancelled" });
    expect(story("w")).toEqual([
      "workflow.started",
      "workflow.stage_completed one cancelled",
      "workflow.failed",
    ]);
    await expectRest();
  });

  test("of one that waits for a worker ends it at once, and takes it out of the line", async () => {
    for (const id of ["a", "b", "w"]) await started.run(id, { one: SLEEP });
    expect(started.manager.getPoolStatus({ pool_id: "default" }).queue_size).toBe(1);
    expect(await cancel("w")).toMatchObject({
      status: "cancelled",
      stages: [{ status: "skipped", attempts: 0 }],
    });
    expect(story("w")).toEqual(["workflow.started", "workflow.failed"]);
    expect(started.manager.getPoolStatus({ pool_id: "default" }).queue_size).toBe(0);
    await cancel("a");
    await cancel("b");
    await Promise.all([started.end("a"), started.end("b")]);
    await expectRest();
  });

  test("in the moment in which a worker was chosen and has not begun starts nothing", async () => {
    const chosen = started.heard("worker.status_changed", ({ status }) => status === "starting");
    const accepted = started.run("w", { one: sh("touch made") });
    await chosen;
    const answer = started.manager.cancelWorkflow({ workflow_id: "w" });
    await accepted;
    expect(answer).toMatchObject({ status: "cancelled", stages: [{ status: "skipped", attempts: 0 }] });
    await expectRest();
    expect(story("w")).toEqual(["workflow.started", "workflow.failed"]);
  });

  test("in the moment in which its child is being started ends the child", async () => {
    await started.run("w", { one: SLEEP });
    // The worker has it, and the child is not there yet: starting one takes turns of the event loop.
    for (let turn = 0; status("w").status !== "running"; turn++) {
      expect(turn).toBeLessThan(1_000);
      await Promise.resolve();
    }
    expect(workerStory()).not.toContain("running");
    expect(started.manager.cancelWorkflow({ workflow_id: "w" }).status).toBe("cancelling");
    expect((await started.end("w")).result.stages).toMatchObject([{ status: "cancelled", attempts: 1 }]);
    await expectRest();
  });

  test("between two stages starts nothing more", async () => {
    const between = started.heard("workflow.stage_completed");
    await started.run("w", { one: sh("exit 0"), two: sh("touch made", { needs: ["one"] }) });
    await between;
    expect(started.manager.cancelWorkflow({ workflow_id: "w" })).toMatchObject({
      status: "cancelled",
      stages: [{ status: "completed" }, { status: "skipped", attempts: 0 }],
    });
    await expectRest();
    expect(workerStory().filter((status) => status === "running")).toHaveLength(1);
  });

  test("between two attempts does not try again", async () => {
    const between = started.heard("worker.status_changed", ({ status }) => status === "failed");
    await started.run("w", { one: sh("exit 1", { retries: 5 }) });
    await between;
    expect(started.manager.cancelWorkflow({ workflow_id: "w" })).toMatchObject({
      status: "cancelled",
      stages: [{ status: "skipped", attempts: 1 }],
    });
    await expectRest();
    expect(workerStory().filter((status) => status === "running")).toHaveLength(1);
  });

  test("when its last stage has ended is a CONFLICT", async () => {
    const over = started.heard("workflow.completed");
    await started.run("w", { one: sh("exit 0") });
    await over;
    expect(() => started.manager.cancelWorkflow({ workflow_id: "w" })).toThrow("has ended as completed");
    await expectRest();
  });

  test("twice is answered twice, and told once", async () => {
    await started.run("w", { one: SLEEP });
    await isReady("w");
    const answers = await Promise.all([cancel("w"), cancel("w"), cancel("w")]);
    expect(answers.map((answer) => answer.status)).toEqual(["cancelling", "cancelling", "cancelling"]);
    await started.end("w");
    expect(story("w").filter((line) => line === "workflow.failed")).toHaveLength(1);
    expect(await refusal(cancel("w"))).toBe(
      "CONFLICT Workflow 'w' has ended as cancelled and cannot be cancelled",
    );
    await expectRest();
  });

  test("with an idempotency key is answered the same again", async () => {
    await started.run("w", { one: SLEEP });
    await isReady("w");
    const data = { workflow_id: "w", idempotency_key: crypto.randomUUID() };
    const first = await started.request("cancel_workflow", data);
    await started.end("w");
    expect(await started.request("cancel_workflow", data)).toEqual(first);
  });

  test("of one that has ended is a CONFLICT, of none NOT_FOUND", async () => {
    await started.run("w", { one: sh("exit 0") });
    await started.end("w");
    expect(await refusal(cancel("w"))).toBe(
      "CONFLICT Workflow 'w' has ended as completed and cannot be cancelled",
    );
    expect(await refusal(cancel("v"))).toBe("NOT_FOUND No workflow 'v'");
  });

  test("of a stage that is about to be tried again does not try it again", async () => {
    await started.run("w", { one: sh("echo ready; exec sleep 1000", { retries: 100 }) });
    await isReady("w");
    await cancel("w");
    expect((await started.end("w")).result.stages).toMatchObject([{ status: "cancelled", attempts: 1 }]);
    await expectRest();
  });

  test("of many at once, in every state, leaves no worker behind", async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `w${index}`);
    for (const id of ids) {
      await started.run(id, {
        one: sh("exit 0"),
        two: SLEEP,
        three: { ...SLEEP, needs: ["one"] },
      });
    }
    await started.until(() =>
      ids.some((id) => (status(id) as { stages: { status: string }[] }).stages[1]!.status === "running")
    );
    await Promise.all(ids.map((id) => cancel(id)));
    for (const id of ids) await started.end(id);
    for (const id of ids) {
      expect(status(id).status).toBe("cancelled");
      expect(story(id).filter((line) => line === "workflow.failed" || line === "workflow.completed"))
        .toHaveLength(1);
    }
    await expectRest();
  });
});

describe.runIf(tellsProcesses)("what a stage has started", () => {
  // Other tests run at the same time on this machine.
  let id: string;
  beforeEach(() => void (id = crypto.randomUUID()));

  const FAMILY = "sleep 1000 & setsid sleep 1000 & (setsid sh -c 'sleep 1000 & wait' &) ; echo ready; wait";

  test("is gone when it was cancelled, also what has left its group", async () => {
    await started.run(id, { one: sh(FAMILY) });
    await isReady(id);
    await started.until(() => processesOf(id).length >= 5);
    await cancel(id);
    await started.end(id);
    expect(processesOf(id)).toEqual([]);
    await expectRest();
  });

  test("is gone when it was cancelled and ignores SIGTERM", async () => {
    await started.run(id, {
      one: sh(
        "trap '' TERM; sh -c 'while :; do sleep 0.05; done' & echo ready; while :; do sleep 0.05; done",
      ),
    });
    await isReady(id);
    await cancel(id);
    expect((await started.end(id)).result.stages).toMatchObject([{
      status: "cancelled",
      signal: "SIGKILL",
    }]);
    expect(processesOf(id)).toEqual([]);
  });

  test("is gone when it has timed out", async () => {
    await started.run(id, { one: sh(FAMILY, { timeout: "30s" }) });
    await isReady(id);
    started.clock.advance(30_000);
    expect((await started.end(id)).result.stages).toMatchObject([{ status: "timeout" }]);
    expect(processesOf(id)).toEqual([]);
  });

  test("is gone when it has ended by itself and left others behind", async () => {
    await started.run(id, { one: sh("sleep 1000 & setsid sleep 1000 >/dev/null 2>&1 & exit 0") });
    expect((await started.end(id)).result.stages).toMatchObject([{ status: "completed", exit_code: 0 }]);
    expect(processesOf(id)).toEqual([]);
  });

  test("is gone when another stage of its workflow has failed", async () => {
    await started.run(id, { one: sh(FAMILY), two: sh("until [ -e go ]; do sleep 0.01; done; exit 1") });
    await isReady(id);
    await started.write("go", "");
    expect((await started.end(id)).result.stages).toMatchObject([{ status: "cancelled" }, {
      status: "failed",
    }]);
    expect(processesOf(id)).toEqual([]);
  });

  test("is gone when the service was stopped", async () => {
    await started.run(id, { one: sh(FAMILY) });
    await isReady(id);
    await started.manager.stop();
    expect(processesOf(id)).toEqual([]);
  });
});
