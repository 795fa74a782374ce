import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { refusal } from "./refusal.ts";
import { type Started, startManager } from "./started-manager.ts";
import { processesOf, tellsProcesses } from "./workflow-processes.ts";

// An error that nobody has caught fails the test run: see "Unhandled Rejection" in vitest's documentation.

let started: Started;
let id: string;
beforeEach(async () => {
  started = await startManager({ stop_grace_ms: 200, pools: { default: { min: 1, max: 2 } } });
  id = crypto.randomUUID();
});
afterEach(() => started.stop());

const sh = (script: string, more: Record<string, unknown> = {}) => ({ run: ["sh", "-c", script], ...more });
const errors = () => started.log.filter((line) => / ERROR /.test(line));
const status = () => started.manager.getWorkflowStatus({ workflow_id: id });

/** From now on the database refuses one kind of change, as it would with a full disk. */
function refuse(change: string, when = "1"): void {
  started.database.exec(
    `CREATE TRIGGER refused BEFORE ${change} WHEN ${when} BEGIN SELECT RAISE(ABORT, 'refused by this test'); END`,
  );
}

const allow = () => started.database.exec("DROP TRIGGER refused");

/** The process is alive, its workers are there, and other workflows run. */
async function expectGoesOn(): Promise<void> {
  await started.until(() => started.manager.getPoolStatus({ pool_id: "default" }).active_workers === 0);
  const others = Array.from({ length: 4 }, () => crypto.randomUUID());
  for (const other of others) await started.run(other, { one: sh("exit 0") });
  for (const other of others) expect((await started.end(other)).error).toBeUndefined();
  expect(started.manager.getPoolStatus({ pool_id: "default" }).worker_count).toBeLessThanOrEqual(2);
}

const CHAIN = {
  one: sh("echo 1 >> one"),
  two: sh("echo 2 >> two", { needs: ["one"] }),
};

describe("where the database refuses a commit in the middle", () => {
  test.each([
    ["that puts a stage in line", "UPDATE ON stages", "NEW.status = 'queued' AND NEW.name = 'two'"],
    ["that begins a stage", "UPDATE ON stages", "NEW.status = 'running' AND NEW.name = 'two'"],
    ["that notes a child", "INSERT ON children", "NEW.pid > 0"],
    ["that ends a stage", "UPDATE ON stages", "NEW.status = 'completed'"],
    ["that ends the workflow", "UPDATE ON workflows", "NEW.status = 'completed'"],
    ["that tells of the end", "INSERT ON events", "NEW.event = 'workflow.completed'"],
  ])("%s, the workflow is left as it is and goes on at the next start", async (_, change, when) => {
    refuse(change, when);
    await started.run(id, CHAIN, { on_restart: "resume" });
    await started.until(() => errors().length > 0);
    expect(errors()[0]).toContain("A workflow is left as it is until the next start");
    expect(errors()[0]).toContain("refused by this test");
    await started.until(() => started.manager.getStatus({}).workflows_active === 0);
    expect(["pending", "running"]).toContain(status().status);
    expect(await refusal(started.request("cancel_workflow", { workflow_id: id }))).toBe(
      `NOT_AVAILABLE Workflow '${id}' waits for the service's next start: cancel it then`,
    );
    if (tellsProcesses) expect(processesOf(id)).toEqual([]);
    allow();
    await expectGoesOn();

    await started.takeOver();
    expect((await started.end(id)).result.stages).toMatchObject([{ status: "completed" }, {
      status: "completed",
    }]);
    const ends = started.told().filter(({ channels, event }) =>
      channels.includes(`workflow:${id}`) && /workflow\.(completed|failed)/.test(event)
    );
    expect(ends).toHaveLength(1);
    expect(started.database.prepare("SELECT * FROM children").all()).toEqual([]);
  });

  test("that accepts a workflow, there is no such workflow", async () => {
    refuse("INSERT ON workflows");
    expect(await refusal(started.run(id, CHAIN))).toMatch(/^SERVER_ERROR Internal error/);
    expect(status().status).toBe("not_found");
    expect(started.told().map(({ event }) => event)).not.toContain("workflow.started");
    allow();
    await started.run(id, CHAIN);
    await started.end(id);
    await expectGoesOn();
  });

  test("that puts the first stage in line, the workflow is accepted all the same", async () => {
    refuse("UPDATE ON stages", "NEW.status = 'queued'");
    await started.run(id, CHAIN);
    expect(status().status).toBe("pending");
    allow();
    await started.takeOver();
    expect((await started.end(id)).error).toBeUndefined();
  });

  test.each(["running", "waiting"])(
    "that cancels a %s workflow, it goes on and can be cancelled later",
    async (how) => {
      const busy = [crypto.randomUUID(), crypto.randomUUID()];
      if (how === "waiting") {
        for (const other of busy) {
          await started.run(other, { one: sh("exec sleep 1000") });
        }
      }
      await started.run(id, {
        one: sh("until [ -e go ]; do sleep 0.01; done"),
        two: sh("exit 0", { needs: ["one"] }),
      });
      if (how === "running") await started.until(() => status().status === "running");
      refuse("UPDATE ON workflows", "NEW.status LIKE 'cancel%'");
      expect(await refusal(started.request("cancel_workflow", { workflow_id: id }))).toMatch(
        /^SERVER_ERROR /,
      );
      allow();
      expect(status().status).toBe(how === "running" ? "running" : "pending");
      if (how === "waiting") {
        for (const other of busy) await started.request("cancel_workflow", { workflow_id: other });
      }
      await started.write("go", "");
      expect((await started.end(id)).result.stages).toMatchObject([{ status: "completed" }, {
        status: "completed",
      }]);
      await expectGoesOn();
    },
  );

  test("that tells of a worker, the worker is not lost", async () => {
    refuse(
      "INSERT ON events",
      "NEW.event = 'worker.status_changed' AND NEW.data LIKE '%\"status\":\"starting\"%'",
    );
    await started.run(id, CHAIN);
    expect((await started.end(id)).error).toBeUndefined();
    expect(errors()[0]).toContain("The status of a worker could not be told");
    allow();
    await expectGoesOn();
  });

  test("that tells of a pool, its next change is told", async () => {
    refuse("INSERT ON events", "NEW.event = 'pool.status_changed'");
    started.clock.advance(10_000);
    await started.run(id, CHAIN);
    await started.end(id);
    started.clock.advance(10_000);
    expect(errors().join()).toContain("The status of a pool could not be told");
    allow();
    await started.request("scale_pool", { pool_id: "default", min: 2 });
    started.clock.advance(500);
    expect(started.told().at(-1)).toMatchObject({
      event: "pool.status_changed",
      data: { status: { min_workers: 2 } },
    });
  });

  test("that scales a pool, the pool keeps its bounds", async () => {
    refuse("INSERT ON events", "NEW.event = 'worker.status_changed'");
    expect(await refusal(started.request("scale_pool", { pool_id: "default", min: 2, max: 7 }))).toMatch(
      /^SERVER_ERROR /,
    );
    allow();
    expect(started.manager.getPoolStatus({ pool_id: "default" })).toMatchObject({
      min_workers: 1,
      max_workers: 2,
    });
    await started.restart();
    expect(started.manager.getPoolStatus({ pool_id: "default" })).toMatchObject({
      min_workers: 1,
      max_workers: 2,
    });
  });
});
