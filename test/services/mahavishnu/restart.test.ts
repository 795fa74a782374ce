import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { processes } from "../../../src/runtimes/processes.ts";
import { listeningProcesses } from "./listening-processes.ts";
import { type Started, startManager } from "./started-manager.ts";
import { processesOf, tellsProcesses } from "./workflow-processes.ts";

let started: Started;
let id: string;
beforeEach(async () => {
  started = await startManager({ stop_grace_ms: 200 });
  // Other tests run at the same time on this machine.
  id = crypto.randomUUID();
});
afterEach(() => started.stop());

const sh = (script: string, more: Record<string, unknown> = {}) => ({ run: ["sh", "-c", script], ...more });
const FAMILY = "sleep 1000 & setsid sleep 1000 & echo ready; wait";

/** Runs its first stage to the end; its second one goes on until there is a file. */
const runTwo = (on_restart: string, more: Record<string, unknown> = {}) =>
  started.run(id, {
    one: sh("echo 1 >> one"),
    two: sh(`if [ -e go ]; then exit 0; fi; ${FAMILY}`, { needs: ["one"], ...more }),
    three: sh("exit 0", { needs: ["two"] }),
  }, { on_restart });

const isReady = (stage_name = "two") =>
  started.until(() => started.manager.getStageOutput({ workflow_id: id, stage_name }).output === "ready\n");

const status = () => started.manager.getWorkflowStatus({ workflow_id: id });

const story = () =>
  started.told().filter(({ channels }) => channels.includes(`workflow:${id}`))
    .map(({ event, data }) => data.stage_name ? `${event} ${data.stage_name} ${data.result.status}` : event);

const children = () => started.database.prepare("SELECT * FROM children").all();

describe.each(["killed", "stopped"] as const)("when the service was %s while a stage ran", (how) => {
  const again = () => how === "killed" ? started.takeOver() : started.restart();

  test("a workflow that says resume goes on after its last finished stage", async () => {
    await runTwo("resume");
    await isReady();
    await started.write("go", "");
    await again();
    expect((await started.end(id)).result.stages).toMatchObject([
      { status: "completed", attempts: 1 },
      { status: "completed", attempts: 2 },
      { status: "completed", attempts: 1 },
    ]);
    expect(await readFile(join(started.folder, "one"), "utf8")).toBe("1\n");
    expect(story()).toEqual([
      "workflow.started",
      "workflow.stage_completed one completed",
      "workflow.stage_completed two completed",
      "workflow.stage_completed three completed",
      "workflow.completed",
    ]);
  });

  test("a workflow that says fail has failed as interrupted, with its event", async () => {
    await runTwo("fail");
    await isReady();
    await again();
    expect(await started.end(id)).toMatchObject({
      error: "interrupted",
      failed_stage: "two",
      result: { stages: [{ status: "completed" }, { status: "cancelled" }, { status: "skipped" }] },
    });
    expect(status()).toMatchObject({ status: "failed", error: "interrupted", failed_stage: "two" });
    expect(story()).toEqual([
      "workflow.started",
      "workflow.stage_completed one completed",
      "workflow.failed",
    ]);
  });

  test("a workflow that was being cancelled has been cancelled", async () => {
    await started.run(id, { one: sh("trap '' TERM; echo ready; while :; do sleep 0.05; done") }, {
      on_restart: "resume",
    });
    await isReady("one");
    expect((await started.request("cancel_workflow", { workflow_id: id })).status).toBe("cancelling");
    await again();
    expect(await started.end(id)).toMatchObject({ error: "cancelled" });
    expect(status()).toMatchObject({ status: "cancelled", stages: [{ status: "cancelled" }] });
  });

  test.runIf(tellsProcesses)("nothing of its processes is left, and no mark of them", async () => {
    await runTwo("fail");
    await isReady();
    expect(processesOf(id).length).toBeGreaterThanOrEqual(3);
    await again();
    expect(processesOf(id)).toEqual([]);
    expect(children()).toEqual([]);
  });
});

test("a workflow of which nothing had begun begins, whatever it says", async () => {
  const pools = { pools: { default: { min: 0, max: 1 } } };
  await started.restart(pools);
  await started.run("before", { one: sh("exec sleep 1000") });
  await started.run(id, { one: sh("exit 0") }, { on_restart: "fail" });
  expect(status()).toMatchObject({ status: "pending", stages: [{ status: "queued" }] });
  await started.takeOver(pools);
  expect((await started.end("before")).error).toBe("interrupted");
  expect((await started.end(id)).result.stages).toMatchObject([{ status: "completed", attempts: 1 }]);
});

test("a stage that had failed brings its workflow down, though the service was killed before the rest was ended", async () => {
  await started.run(id, {
    bad: sh("until [ -e running ]; do sleep 0.01; done; exit 3"),
    beside: sh("trap '' TERM; touch running; while :; do sleep 0.05; done"),
  }, { on_restart: "fail" });
  await started.heard("workflow.stage_completed");
  await started.takeOver();
  expect(await started.end(id)).toMatchObject({
    error: "Stage 'bad' exited with 3",
    failed_stage: "bad",
    result: { stages: [{ status: "failed" }, { status: "cancelled" }] },
  });
});

test("a stage that has ended by itself when the stop comes is not run again", async () => {
  await started.stop();
  const stops: Promise<void>[] = [];
  // Told to stop is a child also when it has ended: others may be left of it.
  const listening = listeningProcesses(() => void stops.push(started.manager.stop()));
  started = await startManager({}, { processes: listening });
  await started.run(id, { one: sh("echo 1 >> one"), two: sh("exit 0", { needs: ["one"] }) }, {
    on_restart: "resume",
  });
  await started.until(() => stops.length > 0);
  await Promise.all(stops);
  expect(status()).toMatchObject({ status: "running", stages: [{ status: "completed" }, { attempts: 0 }] });
  await started.restart();
  await started.until(() => stops.length > 1);
  await started.end(id);
  expect(await readFile(join(started.folder, "one"), "utf8")).toBe("1\n");
});

test.runIf(tellsProcesses)(
  "a child that was just started when the service was killed is ended at the next start",
  async () => {
    await started.stop();
    let starts = 0;
    started = await startManager({}, {
      processes: {
        ...processes,
        async start(...args) {
          const child = await processes.start(...args);
          // The kill comes before anybody has heard of the first one.
          return ++starts === 1 ? await new Promise(() => {}) : child;
        },
      },
    });
    await started.run(id, { one: sh("if [ -e go ]; then exit 0; fi; exec sleep 1000") }, {
      on_restart: "resume",
    });
    await started.until(() => starts === 1);
    expect(processesOf(id)).toHaveLength(1);
    await started.write("go", "");
    await started.takeOver();
    expect((await started.end(id)).result.stages).toMatchObject([{ status: "completed", attempts: 2 }]);
    expect(processesOf(id)).toEqual([]);
  },
);

test("retries that were used up before count after it", async () => {
  const script = "echo $STAGE_ATTEMPT; if [ $STAGE_ATTEMPT = 2 ]; then exec sleep 1000; fi; exit 1";
  await started.run(id, { one: sh(script, { retries: 2 }) }, { on_restart: "resume" });
  await started.until(() =>
    started.manager.getStageOutput({ workflow_id: id, stage_name: "one" }).output === "2\n"
  );
  await started.takeOver();
  expect(await started.end(id)).toMatchObject({ error: "Stage 'one' exited with 1, in 3 attempts" });
});

test("a stage whose pool the settings no longer know runs in the first that they know", async () => {
  const two = { pools: { small: { min: 1, max: 1 }, big: { min: 1, max: 1 } } };
  await started.restart(two);
  await started.run(id, {
    one: sh("if [ -e go ]; then exit 0; fi; echo ready; exec sleep 1000", { pool: "big" }),
  }, {
    on_restart: "resume",
  });
  await isReady("one");
  await started.write("go", "");
  await started.takeOver({ pools: { small: { min: 1, max: 1 } } });
  await started.end(id);
  expect(status()).toMatchObject({ status: "completed", stages: [{ worker_id: "small-1" }] });
  expect(started.manager.getPoolStatus({ pool_id: "small" }).tasks_completed).toBe(1);
});

test("what was written of workflows is read again after a restart", async () => {
  await started.run(id, { one: sh("echo kept") }, { name: "flow" });
  await started.end(id);
  const before = status();
  await started.restart();
  expect(status()).toEqual(before);
  expect(started.manager.getStageOutput({ workflow_id: id, stage_name: "one" }).output).toBe("kept\n");
  expect(started.manager.getPoolStatus({ pool_id: "default" })).toMatchObject({
    tasks_completed: 1,
    worker_count: 1,
  });
});

test("a stop that comes while a child is being started leaves nothing running", async () => {
  for (let n = 0; n < 4; n++) {
    await started.run(`${id}-${n}`, { one: { run: ["sleep", "1000"] } }, { on_restart: "resume" });
  }
  const begun = () => Object.keys(started.manager.getStatus({}).workflows as object).includes("running");
  for (let turn = 0; !begun(); turn++) {
    expect(turn).toBeLessThan(1_000);
    await Promise.resolve();
  }
  await started.manager.stop();
  if (tellsProcesses) { for (let n = 0; n < 4; n++) expect(processesOf(`${id}-${n}`)).toEqual([]); }
  expect(children()).toEqual([]);
  expect(started.manager.getPoolStatus({ pool_id: "default" })).toMatchObject({
    status: "stopped",
    active_workers: 0,
  });
});

test("what a stage has written is kept when the service stops in the middle of it", async () => {
  await runTwo("fail");
  await isReady();
  await started.restart();
  await started.end(id);
  expect(started.manager.getStageOutput({ workflow_id: id, stage_name: "two" })).toMatchObject({
    status: "cancelled",
    output: "ready\n",
  });
});
