import { afterEach, expect, test } from "vitest";
import { mahavishnu } from "../../../services/mahavishnu/contract.ts";
import { EffectProof } from "../../mcp/effect-proof.ts";
import { type Started, startManager } from "./started-manager.ts";

let started: Started;
afterEach(() => started.stop());

const ENDED = ["completed", "failed", "cancelled"];
const ENDLESS = { one: { run: ["sh", "-c", "echo ready; exec sleep 1000"] } };

const isReady = (workflow_id: string) =>
  started.until(() =>
    started.manager.getStageOutput({ workflow_id, stage_name: "one" }).output === "ready\n"
  );

/** Nothing goes on but what waits to be cancelled. */
async function rest(): Promise<void> {
  const open = () =>
    started.manager.listWorkflows().workflows.filter(({ status }) => !ENDED.includes(status));
  const busy = () => started.manager.getPoolStatus({ pool_id: "default" }).active_workers;
  await started.until(() =>
    open().every(({ workflow_id, status }) => workflow_id.startsWith("endless") && status === "running") &&
    busy() === open().length
  );
  // Figures of pools are told twice a second.
  started.clock.advance(1_000);
}

test(
  "every request of mahavishnu does what its contract says of its effect",
  { timeout: 60_000 },
  async () => {
    started = await startManager({ stop_grace_ms: 200, pools: { default: { min: 1, max: 3 } } });
    await started.write("workflows/short.yaml", "stages:\n  one:\n    run: [echo, done]\n");
    let seen = 0;
    const told = () => started.told().slice(seen, seen = started.told().length);
    const { request, database, manager } = started;
    const proof = new EffectProof(mahavishnu, { request, database, manager, told }, { rest });

    const { workflow_id } = await proof.of("run_workflow", { definition: "short" });
    await proof.of("get_workflow_status", { workflow_id });
    await proof.of("list_workflows", { definition: "short" });
    await proof.of("list_definitions");
    expect((await proof.of("get_stage_output", { workflow_id, stage_name: "one" })).output).toBe("done\n");
    await proof.of("get_pool_status", { pool_id: "default" });
    await proof.of("list_pools");
    // Its workers stay, but its figures are told once more, and idle workers wait anew.
    await proof.of("scale_pool", { pool_id: "default", max: 2 });

    await started.run("endless", ENDLESS);
    await isReady("endless");
    await proof.of("get_stage_output", { workflow_id: "endless", stage_name: "one" });
    await proof.of("get_workflow_status", { workflow_id: "endless" });
    await proof.looks([["workflow", "endless"], ["pool", "default"], ["worker", "default-1"]]);
    expect((await proof.of("cancel_workflow", { workflow_id: "endless" })).status).toBe("cancelling");
    proof.isWhole();

    await started.run("endless too", ENDLESS);
    await isReady("endless too");
    told();
    for (let n = 0; n < 2; n++) await request("cancel_workflow", { workflow_id: "endless too" });
    await rest();
    expect(told().filter(({ event }) => event.startsWith("workflow.")).map(({ event }) => event))
      .toEqual(["workflow.stage_completed", "workflow.failed"]);
  },
);
