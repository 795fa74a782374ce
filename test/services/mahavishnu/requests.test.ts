import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { refusal } from "./refusal.ts";
import { type Started, startManager } from "./started-manager.ts";

let started: Started;
beforeEach(async () => void (started = await startManager({ pools: { default: { min: 0, max: 4 } } })));
afterEach(() => started.stop());

const DONE = { one: { run: ["true"] } };
const run = (data: Record<string, unknown>) => started.request("run_workflow", data);

async function runToEnd(id: string, name: string, stages = DONE): Promise<void> {
  await started.run(id, stages, { name });
  await started.end(id);
}

describe("run_workflow", () => {
  test("gives ULIDs that grow where no id came", async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push((await run({ definition: { stages: DONE } })).workflow_id);
    expect(ids[0]).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    expect([...new Set(ids)].sort()).toEqual(ids);
    for (const id of ids) await started.end(id);
  });

  test("refuses an id that is in use, and runs nothing", async () => {
    await runToEnd("w", "first");
    expect(await refusal(started.run("w", DONE))).toBe(
      "CONFLICT Workflow 'w' exists already: choose another id, or leave it out",
    );
    expect(started.told().filter(({ event }) => event === "workflow.started")).toHaveLength(1);
  });

  test("with an idempotency key runs once", async () => {
    const data = { definition: { stages: DONE }, idempotency_key: crypto.randomUUID() };
    const [first, second] = await Promise.all([run(data), run(data)]);
    expect(second).toEqual(first);
    await started.end(first.workflow_id);
    expect(started.told().filter(({ event }) => event === "workflow.started")).toHaveLength(1);
  });

  test.each(["", "*", "a:*", "a\nb", "a\0", "\ud800", "x".repeat(201), 7])(
    "refuses %j as an id",
    async (workflow_id) => {
      expect(await refusal(run({ workflow_id, definition: { stages: DONE } }))).toMatch(
        /^INVALID_DATA .*workflow_id/,
      );
      expect(started.manager.listWorkflows().workflows).toEqual([]);
    },
  );

  test.each(["a", "a:b", "日本 語", "😀", "x".repeat(200)])("takes %j as an id", async (id) => {
    await runToEnd(id, "flow");
    expect(started.manager.getWorkflowStatus({ workflow_id: id }).status).toBe("completed");
  });

  test("refuses a faulty definition with all its faults, and accepts nothing", async () => {
    expect(
      await refusal(
        run({ definition: { stages: { one: { run: "make" }, two: { run: ["x"], needs: ["three"] } } } }),
      ),
    ).toBe(
      'INVALID_DATA definition: stages.one.run: expected a list of command and arguments (or shell: true), got "make"\n' +
        'definition: stages.two.needs: expected one of one, got "three"',
    );
    await started.write("workflows/bad.yaml", "stages:\n  one:\n    run: make\n");
    expect(await refusal(run({ definition: "bad" }))).toMatch(
      /^INVALID_DATA .*\/workflows\/bad\.yaml:3: stages\.one\.run: /,
    );
    expect(await refusal(run({ definition: "../bad" }))).toMatch(
      /^NOT_FOUND No definition '\.\.\/bad': expected a file /,
    );
    expect(await refusal(run({ definition: 7 }))).toMatch(/^INVALID_DATA .*definition/);
    expect(await refusal(run({ definition: { stages: DONE }, inputs: { "no name": 1 } }))).toMatch(
      /^INVALID_DATA .*inputs/,
    );
    expect(started.manager.listWorkflows().workflows).toEqual([]);
  });

  test("refuses a definition that is written out, unless the settings allow it", async () => {
    await started.restart({ allow_inline: false });
    expect(await refusal(run({ definition: { stages: DONE } }))).toBe(
      "FORBIDDEN A definition may not be written out here: name one, or set allow_inline in the service's settings",
    );
    await started.write("workflows/good.yaml", "stages:\n  one:\n    run: ['true']\n");
    const { workflow_id } = await run({ definition: "good" });
    await started.end(workflow_id);
  });
});

test("list_definitions tells what is in the folder now, faulty ones with what is wrong", async () => {
  expect(await started.request("list_definitions", {})).toEqual({ definitions: [] });
  await started.write(
    "workflows/build.yaml",
    "description: A build\non_restart: resume\nstages:\n  one: { run: [x] }\n  two: { run: [x], needs: [one] }\n",
  );
  await started.write("workflows/odd.yaml", `stages:\n${"  one:\n    run: 1\n".repeat(1)}`);
  await started.write(
    "workflows/odder.yaml",
    `${Array.from({ length: 30 }, (_, n) => `k${n}: 1\n`).join("")}stages: { one: { run: [x] } }\n`,
  );
  const { definitions } = await started.request("list_definitions", {});
  const folder = `${started.folder}/workflows`;
  expect(definitions.slice(0, 2)).toEqual([
    {
      name: "build",
      file: `${folder}/build.yaml`,
      description: "A build",
      stages: [{ name: "one", needs: [] }, { name: "two", needs: ["one"] }],
      on_restart: "resume",
      errors: [],
    },
    {
      name: "odd",
      file: `${folder}/odd.yaml`,
      description: null,
      stages: [],
      on_restart: null,
      errors: [`${folder}/odd.yaml:3: stages.one.run: expected a list of command and arguments, got 1`],
    },
  ]);
  expect(definitions[2]!.errors).toHaveLength(21);
  expect(definitions[2]!.errors.at(-1)).toBe("and 10 more");
});

describe("list_workflows", () => {
  const list = async (data: Record<string, unknown> = {}) => await started.request("list_workflows", data);
  const ids = async (data: Record<string, unknown>) =>
    (await list(data)).workflows.map(({ workflow_id }) => workflow_id);

  test("gives them newest first, by status and by definition", async () => {
    await runToEnd("a", "flow");
    await runToEnd("b", "flow", { one: { run: ["false"] } });
    await runToEnd("c", "other");
    expect(await ids({})).toEqual(["c", "b", "a"]);
    expect(await ids({ status: "completed" })).toEqual(["c", "a"]);
    expect(await ids({ definition: "flow", status: null })).toEqual(["b", "a"]);
    expect((await list({ status: "failed" })).workflows).toEqual([{
      workflow_id: "b",
      status: "failed",
      stages_completed: 0,
      total_stages: 1,
      progress: 0,
      definition: "flow",
      created_at: "2026-01-01T00:00:00.000Z",
      started_at: "2026-01-01T00:00:00.000Z",
      ended_at: "2026-01-01T00:00:00.000Z",
      duration_seconds: 0,
      error: "Stage 'one' exited with 1",
      failed_stage: "one",
    }]);
  });

  test("gives them page by page, none twice and none left out", async () => {
    for (let n = 0; n < 5; n++) await runToEnd(`w${n}`, "flow");
    const first = await list({ limit: 2 });
    const second = await list({ limit: 2, cursor: first.next_cursor });
    const third = await list({ limit: 2, cursor: second.next_cursor });
    expect([first, second, third].map(({ workflows }) => workflows.map(({ workflow_id }) => workflow_id)))
      .toEqual([
        ["w4", "w3"],
        ["w2", "w1"],
        ["w0"],
      ]);
    expect(third.next_cursor).toBeNull();
    expect(await refusal(list({ cursor: "nonsense" }))).toMatch(/^INVALID_DATA Invalid field 'cursor'/);
    expect(await refusal(list({ limit: 0 }))).toMatch(/^INVALID_DATA /);
  });
});

test("workflows_kept is how many ended workflows are kept; one that runs is never forgotten", async () => {
  await started.restart({ workflows_kept: 2 });
  await started.run("runs", { one: { run: ["sleep", "1000"] } });
  for (let n = 0; n < 4; n++) await runToEnd(`w${n}`, "flow");
  expect(started.manager.listWorkflows().workflows.map(({ workflow_id }) => workflow_id)).toEqual([
    "w3",
    "w2",
    "runs",
  ]);
  expect(await started.request("get_workflow_status", { workflow_id: "w0" })).toMatchObject({
    status: "not_found",
  });
  expect(started.database.prepare("SELECT count(*) AS count FROM stages").get()).toEqual({ count: 3 });
});

test("what does not exist is answered as not_found by queries, and refused by all else", async () => {
  expect(await started.request("get_workflow_status", { workflow_id: "none" })).toEqual({
    workflow_id: "none",
    status: "not_found",
    stages_completed: 0,
    total_stages: 0,
    progress: 0,
    definition: null,
    created_at: null,
    started_at: null,
    ended_at: null,
    duration_seconds: null,
    error: null,
    failed_stage: null,
    stages: [],
  });
  expect(await refusal(started.request("cancel_workflow", { workflow_id: "none" }))).toBe(
    "NOT_FOUND No workflow 'none'",
  );
  expect(started.manager.snapshot("workflow", "none")).toEqual(null);
  expect(started.manager.snapshot("global", null)).toBeNull();
});

test("getStatus tells the service's figures, and with an id the state of that object", async () => {
  await runToEnd("w", "flow");
  await started.until(() => started.manager.getPoolStatus({ pool_id: "default" }).idle_workers === 1);
  expect(started.manager.getStatus({})).toEqual({
    workflows: { completed: 1 },
    workflows_active: 0,
    pools: [{ pool_id: "default", status: "running", workers: 1, queue_size: 0 }],
  });
  expect(started.manager.getStatus({ workflow_id: "w" })).toMatchObject({
    workflow_id: "w",
    status: "completed",
  });
  expect(started.manager.getStatus({ pool_id: "default" })).toMatchObject({
    pool_id: "default",
    workers: ["default-1"],
  });
  expect(started.manager.getStatus({ worker_id: "default-1" })).toMatchObject({ status: "idle" });
  expect(started.manager.getStatus({ worker_id: "default-7" })).toEqual({
    worker_id: "default-7",
    status: "not_found",
  });
});
