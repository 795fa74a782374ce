import { expect, test } from "vitest";
import { crackerjack } from "../../../services/crackerjack/contract.ts";
import { systemClock } from "../../../src/ports/clock.ts";
import { EffectProof } from "../../mcp/effect-proof.ts";
import { type Started, startWaiting } from "./started-manager.ts";

const LCOV = "TN:\nSF:a.js\nDA:1,1\nDA:2,0\nLF:2\nLH:1\nend_of_record\n";
const ENDED = ["passed", "failed", "cancelled", "crashed"];

const statusOf = (started: Started, run_id: string) => started.manager.getTestStatus({ run_id }).status;

/** Runs are over, or wait for `go` with the news of all that they have said. */
async function rest(started: Started): Promise<void> {
  const isQuiet = () =>
    started.manager.listRuns().runs.every(({ status, done }) =>
      ENDED.includes(status) || status === "queued" || (status === "running" && done === 2)
    );
  await expect.poll(isQuiet, { timeout: 30_000, interval: 5 }).toBe(true);
  // Times of what comes next differ from those of what was.
  const now = systemClock.now();
  await expect.poll(() => systemClock.now(), { interval: 1 }).toBeGreaterThan(now);
}

test(
  "every request of crackerjack does what its contract says of its effect",
  { timeout: 120_000 },
  async () => {
    const started = await startWaiting();
    const proof = new EffectProof(crackerjack, started, { rest: () => rest(started) });
    const running = await proof.of("run_tests", { project: "slow" });
    const { runs: [waiting] } = await started.request("list_runs", { status: "queued" });
    await proof.of("get_test_status", { run_id: running.run_id });
    await proof.of("list_runs", { project: "slow" });
    await proof.of("report_coverage", { project: "slow", content: LCOV });
    await proof.of("check_quality", { project: "slow" });
    await proof.of("get_quality_gate", { project: "slow" });
    await proof.looks([["test", running.run_id], ["quality", "slow"], ["coverage", null]]);
    // One that waits, and then the one that runs.
    expect((await proof.of("cancel_run", { run_id: waiting!.run_id })).status).toBe("cancelled");
    expect((await proof.of("cancel_run", { run_id: running.run_id })).status).toBe("cancelling");
    expect(statusOf(started, running.run_id)).toBe("cancelled");

    const { run_id } = await started.request("run_tests", { project: "slow" });
    await rest(started);
    started.told();
    for (let n = 0; n < 2; n++) await started.request("cancel_run", { run_id });
    await rest(started);
    expect(started.told().map(({ event }) => event)).toEqual(["test.completed"]);
    proof.isWhole();
  },
);
