import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { refusal } from "./refusal.ts";
import { type Started, startManager } from "./started-manager.ts";

let started: Started;
beforeEach(async () => {
  started = await startManager({
    pools: { small: { min: 1, max: 3, queue: 2, idle_ms: 5_000 }, other: { min: 0, max: 1 } },
  });
});
afterEach(() => started.stop());

const UNTIL_GO = { run: ["sh", "-c", "until [ -e go ]; do sleep 0.01; done"] };
const DONE = { run: ["true"] };

const pool = (pool_id = "small") => started.manager.getPoolStatus({ pool_id });
const isBusy = (count: number) =>
  started.until(() => pool().worker_status.filter(({ status }) => status === "running").length === count);

/** What was told of a pool, in short. */
const story = (id = "small") =>
  started.told().filter(({ event, channels }) =>
    event === "pool.status_changed" && channels.includes(`pool:${id}`)
  )
    .map(({ data: { status } }) =>
      `${status.worker_count} workers, ${status.active_workers} active, ${status.queue_size} waiting`
    );

describe("a pool of the service", () => {
  test("goes from its minimum to its maximum in a burst and back in idleness, with an event for each step", async () => {
    started.clock.tick();
    for (let n = 0; n < 5; n++) {
      await started.run(`w${n}`, { one: UNTIL_GO });
      started.clock.advance(500);
    }
    await isBusy(3);
    expect(story()).toEqual([
      "1 workers, 0 active, 0 waiting",
      "1 workers, 1 active, 0 waiting",
      "2 workers, 2 active, 0 waiting",
      "3 workers, 3 active, 0 waiting",
      "3 workers, 3 active, 1 waiting",
      "3 workers, 3 active, 2 waiting",
    ]);
    expect(
      started.told().filter(({ event, data }) =>
        event === "worker.status_changed" && data.status === "pending"
      ),
    ).toHaveLength(3);

    await started.write("go", "");
    for (let n = 0; n < 5; n++) await started.end(`w${n}`);
    await started.until(() => pool().idle_workers === 3);
    started.clock.advance(5_000);
    expect(pool()).toMatchObject({ worker_count: 1, idle_workers: 1, tasks_completed: 5 });
    started.clock.advance(500);
    expect(story().at(-1)).toBe("1 workers, 0 active, 0 waiting");
    const gone = started.told().filter(({ event, data }) =>
      event === "worker.status_changed" && data.previous === "idle" && data.status === "completed"
    );
    expect(gone).toHaveLength(2);
  });

  test("is told at most twice a second, and its latest figures always", async () => {
    started.clock.tick();
    const before = story().length;
    for (let n = 0; n < 3; n++) {
      await started.run(`w${n}`, {
        one: DONE,
        two: { ...DONE, needs: ["one"] },
        three: { ...DONE, needs: ["two"] },
      });
    }
    for (let n = 0; n < 3; n++) await started.end(`w${n}`);
    await started.until(() => pool().idle_workers === pool().worker_count);
    expect(story().length - before).toBeLessThanOrEqual(1);
    started.clock.advance(500);
    expect(story().length - before).toBeLessThanOrEqual(2);
    expect(started.told().findLast(({ event }) => event === "pool.status_changed")).toEqual({
      event: "pool.status_changed",
      channels: ["pool:small", "global"],
      data: {
        pool_id: "small",
        status: {
          state: "running",
          active_workers: 0,
          idle_workers: pool().worker_count,
          worker_count: pool().worker_count,
          queue_size: 0,
          tasks_completed: 9,
          tasks_failed: 0,
          min_workers: 1,
          max_workers: 3,
        },
      },
    });
  });

  test("answers its true state", async () => {
    await started.run("bad", { one: { run: ["false"] } });
    await started.end("bad");
    await started.until(() => pool().idle_workers === 1);
    for (let n = 0; n < 4; n++) await started.run(`w${n}`, { one: UNTIL_GO });
    await isBusy(3);
    const task = (n: number) => ({ workflow_id: `w${n}`, stage_name: "one", attempt: 1 });
    expect(await started.request("get_pool_status", { pool_id: "small" })).toEqual({
      pool_id: "small",
      status: "running",
      workers: ["small-1", "small-2", "small-3"],
      active_workers: 3,
      idle_workers: 0,
      worker_count: 3,
      queue_size: 1,
      tasks_completed: 0,
      tasks_failed: 1,
      min_workers: 1,
      max_workers: 3,
      total_workers: 3,
      queue_limit: 2,
      avg_task_duration: 0,
      auto_scale: true,
      idle_seconds: 5,
      worker_status: [0, 1, 2].map((n) => ({
        worker_id: `small-${n + 1}`,
        status: "running",
        task: task(n),
      })),
    });
    expect((await started.request("list_pools", {})).pools).toMatchObject([
      {
        pool_id: "small",
        name: "small",
        pool_type: "mahavishnu",
        status: "running",
        workers: 3,
        queue_size: 1,
      },
      { pool_id: "other", workers: 0, max_workers: 1 },
    ]);
    expect(await started.request("get_workflow_status", { workflow_id: "w3" })).toMatchObject({
      status: "pending",
      stages: [{ status: "queued" }],
    });
    expect(started.manager.snapshot("worker", "small-2")).toMatchObject({ status: "running", task: task(1) });
    expect(started.manager.snapshot("worker", "small-9")).toBeNull();
    await started.write("go", "");
  });

  test("knows how long its tasks took, also after a restart", async () => {
    await started.run("w", { one: UNTIL_GO });
    await isBusy(1);
    started.clock.advance(3_000);
    await started.write("go", "");
    await started.end("w");
    expect(pool().avg_task_duration).toBe(3);
    await started.restart();
    expect(pool()).toMatchObject({ avg_task_duration: 3, tasks_completed: 1 });
  });

  test("of one worker runs many workflows one stage at a time, in turns", async () => {
    for (const id of ["a", "b", "c"]) {
      const stage = (needs: string[]) => ({ run: ["true"], needs, pool: "other" });
      await started.run(id, { one: stage([]), two: stage(["one"]), three: stage(["two"]) });
    }
    for (const id of ["a", "b", "c"]) await started.end(id);
    const order = started.told().filter(({ event }) => event === "workflow.stage_completed")
      .map(({ data }) => `${data.workflow_id} ${data.stage_name}`);
    expect(order).toEqual(
      ["one", "two", "three"].flatMap((stage) => ["a", "b", "c"].map((id) => `${id} ${stage}`)),
    );
    expect(pool("other")).toMatchObject({ worker_count: 1, tasks_completed: 9 });
  });

  test("is not_found where there is none", async () => {
    expect(await started.request("get_pool_status", { pool_id: "none" })).toMatchObject({
      pool_id: "none",
      status: "not_found",
      workers: [],
    });
    expect(started.manager.snapshot("pool", "none")).toBeNull();
  });
});

describe("a full queue", () => {
  test("refuses workflows, and takes them again when there is room", async () => {
    for (let n = 0; n < 5; n++) await started.run(`w${n}`, { one: UNTIL_GO });
    expect(await refusal(started.run("more", { one: DONE }))).toBe(
      "NOT_AVAILABLE Pool 'small' has room for 0 more stages and this workflow begins with 1: try again later",
    );
    expect(started.manager.getWorkflowStatus({ workflow_id: "more" }).status).toBe("not_found");
    // Another pool has a queue of its own.
    await started.run("elsewhere", { one: { ...DONE, pool: "other" } });
    await started.end("elsewhere");
    await started.write("go", "");
    for (let n = 0; n < 5; n++) await started.end(`w${n}`);
    await started.run("more", { one: DONE });
    await started.end("more");
  });

  test("counts workers that are free as room", async () => {
    await started.run("w", { one: DONE, two: DONE, three: DONE, four: DONE, five: DONE });
    expect((await started.end("w")).result.stages).toHaveLength(5);
    const six = Object.fromEntries(["a", "b", "c", "d", "e", "f"].map((name) => [name, DONE]));
    await started.until(() => pool().active_workers === 0);
    expect(await refusal(started.run("x", six))).toMatch(/^NOT_AVAILABLE /);
  });
});

describe("scale_pool", () => {
  const scale = (data: Record<string, unknown>) =>
    started.request("scale_pool", { pool_id: "small", ...data });

  test("below the workers that are busy lets them finish", async () => {
    for (let n = 0; n < 4; n++) await started.run(`w${n}`, { one: UNTIL_GO });
    await isBusy(3);
    expect(await scale({ max: 1 })).toMatchObject({
      status: "scaling",
      worker_count: 3,
      max_workers: 1,
      auto_scale: false,
    });
    await started.write("go", "");
    for (let n = 0; n < 4; n++) await started.end(`w${n}`);
    await started.until(() => pool().idle_workers === 1);
    expect(pool()).toMatchObject({ status: "running", worker_count: 1, tasks_completed: 4 });
  });

  test("brings workers at once, and holds over a restart until the settings change", async () => {
    expect(await scale({ min: 2, max: 5 })).toMatchObject({
      worker_count: 2,
      min_workers: 2,
      max_workers: 5,
    });
    expect(await scale({})).toMatchObject({ min_workers: 2, max_workers: 5 });
    await started.restart();
    expect(pool()).toMatchObject({ worker_count: 2, min_workers: 2, max_workers: 5 });
    await started.restart({ pools: { small: { min: 1, max: 4 } } });
    expect(pool()).toMatchObject({ worker_count: 1, min_workers: 1, max_workers: 4 });
  });

  test.each([[{ min: 4 }], [{ max: 0 }], [{ min: 2, max: 1 }]])("refuses %j", async (bounds) => {
    expect(await refusal(scale(bounds))).toMatch(/^INVALID_DATA Invalid field '(min|max)'/);
    expect(pool()).toMatchObject({ min_workers: 1, max_workers: 3 });
  });

  test.each([[{ max: 65 }], [{ min: -1 }], [{ max: 1.5 }]])("refuses %j by the contract", async (bounds) => {
    expect(await refusal(scale(bounds))).toMatch(/^INVALID_DATA /);
  });

  test("refuses an unknown pool", async () => {
    expect(await refusal(started.request("scale_pool", { pool_id: "none", max: 2 }))).toBe(
      "NOT_FOUND No pool 'none': expected one of small, other",
    );
  });
});
