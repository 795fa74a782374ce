import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { FrameClient } from "../support/frame-client.ts";
import { serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime } from "../support/start-program.ts";

const scratch = useBuiltScratch();

/** Starts a child of its own and one that leaves its group, notes the ids of all, and goes on until it is ended. */
const ENDLESS = `
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
const options = { stdio: "ignore" };
const children = [spawn("sleep", ["600"], options), spawn("sleep", ["600"], { ...options, detached: true })];
writeFileSync("pids.json", JSON.stringify([process.pid, ...children.map(({ pid }) => pid)]));
console.log("1..3\\nok 1 - first\\nnot ok 2 - second\\nok 3 - third");
process.on("SIGTERM", () => {});
setInterval(() => {}, 1000);
`;

async function makeProject(name: string, test: string): Promise<{ folder: string; settings: string }> {
  const folder = join(scratch.folder, name);
  await mkdir(join(folder, "app"), { recursive: true });
  await writeFile(join(folder, "app/tests.mjs"), test);
  const settings = join(folder, "settings.yaml");
  const own = {
    roots: [folder],
    projects: { app: { path: "app", command: ["node", "tests.mjs"], runner: "tap" } },
  };
  // JSON is YAML.
  await writeFile(settings, JSON.stringify({ crackerjack: own }));
  return { folder, settings };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Ends by itself where nobody was a parent to it: the state Z counts as gone. */
async function isGone(pid: number): Promise<boolean> {
  if (!isRunning(pid)) return true;
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
  return stat === "" || /\) [ZX]/.test(stat);
}

const open = (program: Serving) => FrameClient.open(program.websocket);

// The system's own table is read to see who runs.
describe.skipIf(process.platform !== "linux").each(["node", "deno", "bun"] as const)(
  "crackerjack on %s",
  (runtime) => {
    it.runIf(hasRuntime(runtime))(
      "after kill -9 ends what the run has left, tells it, and takes up what waited",
      { timeout: 90_000 },
      async () => {
        const { folder, settings } = await makeProject(`kill-${runtime}`, ENDLESS);
        const args = ["crackerjack", "--settings", settings, ...scratch.flags(`crackerjack-${runtime}`)];
        const before = await serve(runtime, { args });
        const client = await open(before);
        await client.request("subscribe", { channel: "test:*" });
        const { data: first } = await client.request("run_tests", { project: "app" });
        const { data: second } = await client.request("run_tests", { project: "app" });
        expect(second).toMatchObject({ status: "queued" });
        const failed = await client.event("test.failed", `test:${first.run_id}`);
        const pids: number[] = JSON.parse(await readFile(join(folder, "app/pids.json"), "utf8"));
        before.kill("SIGKILL");
        await before.ended;
        expect(pids.map(isRunning)).toEqual([true, true, true]);
        // What waits is not to be endless.
        await writeFile(join(folder, "app/tests.mjs"), `console.log("1..1\\nok 1 - only")`);

        const after = await serve(runtime, { args });
        await expect.poll(() => Promise.all(pids.map(isGone))).toEqual([true, true, true]);
        const again = await open(after);
        const since = { epoch: failed.epoch, seq: failed.seq };
        const reply = await again.request("subscribe", { channel: `test:${first.run_id}`, since });
        expect(reply.data).toMatchObject({ recovered: true });
        expect((await again.event("test.completed", `test:${first.run_id}`)).data).toMatchObject({
          outcome: "crashed",
          error: expect.stringContaining("interrupted"),
          tests_completed: 2,
          tests_failed: 1,
        });
        await expect.poll(async () =>
          (await again.request("get_test_status", { run_id: second.run_id })).data
        )
          .toMatchObject({ status: "passed", done: 1 });
        after.kill("SIGTERM");
        const end = await after.ended;
        expect(end).toMatchObject({ code: 0, complaints: [] });
        expect(end.stderr).toContain("Processes of an earlier run were ended");
      },
    );

    it.runIf(hasRuntime(runtime))(
      "stopped in order ends its run, all that the run has started, and its own files",
      { timeout: 90_000 },
      async () => {
        const { folder, settings } = await makeProject(`stop-${runtime}`, ENDLESS);
        const args = ["crackerjack", "--settings", settings, ...scratch.flags(`crackerjack-stop-${runtime}`)];
        const program = await serve(runtime, { args, environment: { TMPDIR: folder } });
        const client = await open(program);
        await client.request("subscribe", { channel: "test:*" });
        const { data: { run_id } } = await client.request("run_tests", { project: "app" });
        await client.event("test.failed", `test:${run_id}`);
        const pids: number[] = JSON.parse(await readFile(join(folder, "app/pids.json"), "utf8"));
        program.kill("SIGTERM");
        expect(await program.ended).toMatchObject({ code: 0, complaints: [] });
        expect(await Promise.all(pids.map(isGone))).toEqual([true, true, true]);
        expect((await readdir(folder)).filter((name) => name.startsWith("mcp-realtime-run-"))).toEqual([]);
      },
    );
  },
);

describe("a long row of runs", () => {
  const RUNS = Number(process.env.SOAK_RUNS ?? 5);

  it(`leaves no process, file or open handle behind (${RUNS} runs; set SOAK_RUNS for more)`, {
    timeout: 60_000 + RUNS * 5_000,
  }, async () => {
    const { folder, settings } = await makeProject(
      "soak",
      `console.log("1..2\\nok 1 - first\\nnot ok 2 - second")`,
    );
    const args = ["crackerjack", "--settings", settings, ...scratch.flags("crackerjack-soak")];
    const program = await serve("node", { args, environment: { TMPDIR: folder } });
    const client = await open(program);
    await client.request("subscribe", { channel: "test:*" });
    const run = async () => {
      const { data: { run_id } } = await client.request("run_tests", { project: "app" });
      return (await client.event("test.completed", `test:${run_id}`)).data;
    };
    await run();
    const handles = () => readdir(`/proc/${program.pid}/fd`).then((names) => names.length, () => 0);
    const before = await handles();
    const ends = [];
    for (let n = 0; n < RUNS; n++) ends.push(await run());
    expect(ends.map(({ outcome, tests_completed, tests_failed }) => [outcome, tests_completed, tests_failed]))
      .toEqual(Array(RUNS).fill(["failed", 2, 1]));
    for (const { run_id } of ends) {
      const events = client.events(`test:${run_id}`).map(({ event }) => event);
      expect(events).toEqual(["test.started", "test.failed", "test.completed"]);
      expect((await client.request("get_test_status", { run_id })).data).toMatchObject({
        status: "failed",
        done: 2,
      });
    }
    await expect.poll(async () => await handles() - before, { timeout: 10_000 }).toBeLessThanOrEqual(0);
    const children = await readFile(`/proc/${program.pid}/task/${program.pid}/children`, "latin1").catch(() =>
      ""
    );
    expect(children.trim()).toBe("");
    expect((await readdir(folder)).filter((name) => name.startsWith("mcp-realtime-run-"))).toEqual([]);
    await client.close();
    program.kill("SIGTERM");
    expect(await program.ended).toMatchObject({ code: 0, complaints: [] });
  });
});
