import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { processesWith, tellsProcesses } from "../services/mahavishnu/workflow-processes.ts";
import { buildOnce } from "../support/build-once.ts";
import { FrameClient } from "../support/frame-client.ts";
import { makeScratch, type Scratch, serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

/** A first stage that ends, and a second one with a family: one in its group, one that has left it. */
const definition = (onRestart: string, name: string) => `
on_restart: ${onRestart}
stages:
  first:
    run: [sh, -c, "echo first >> ${name}.log"]
  second:
    needs: [first]
    shell: true
    run: |
      echo second >> ${name}.log
      if [ -e go ]; then exit 0; fi
      sleep 1000 & setsid sleep 1000 & setsid sh -c 'trap "" TERM; sleep 1000; sleep 1000' &
      wait
  last:
    needs: [second]
    run: [sh, -c, "echo last >> ${name}.log"]
`;

/** Many short stages, some of them with a child that stays. */
const BURST = `
on_restart: resume
stages:
  a: { run: ["true"] }
  b: { run: [sh, -c, "sleep 1000 & exit 0"] }
  c: { needs: [a], shell: true, run: "setsid sleep 1000 >/dev/null 2>&1 & exit 0" }
  d: { needs: [b], run: ["true"] }
`;

let scratch: Scratch;
beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
}, 120_000);
afterAll(async () => {
  const left = tellsProcesses ? [...marks].flatMap((mark) => processesWith("PROCESS_TEST", mark)) : [];
  for (const pid of left) process.kill(pid, "SIGKILL");
  await scratch.remove();
});

/** What a test that has failed may leave running is found by these. */
const marks = new Set<string>();

interface Ground {
  readonly folder: string;
  start(): Promise<Serving>;
  /** Processes that come of the service, without itself. */
  offspring(service: Serving): number[];
}

async function makeGround(runtime: RuntimeName, name: string): Promise<Ground> {
  // In the environment of the service and of all that comes of it.
  const mark = crypto.randomUUID();
  marks.add(mark);
  const folder = join(scratch.folder, `${name}-${runtime}`);
  await mkdir(join(folder, "workflows"), { recursive: true });
  for (const kind of ["resume", "fail"]) {
    await writeFile(join(folder, "workflows", `${kind}.yaml`), definition(kind, kind));
  }
  await writeFile(join(folder, "workflows", "burst.yaml"), BURST);
  const settings = join(folder, "settings.yaml");
  await writeFile(
    settings,
    `mahavishnu:\n  definitions: ${folder}/workflows\n  working_directory: ${folder}\n  stop_grace_ms: 300\n`,
  );
  const args = ["mahavishnu", "--settings", settings, ...scratch.flags(`${name}-${runtime}`)];
  return {
    folder,
    start: () => serve(runtime, { args, environment: { PROCESS_TEST: mark } }),
    offspring: ({ pid }) => processesWith("PROCESS_TEST", mark).filter((other) => other !== pid),
  };
}

/** Start both workflows and wait until their families are there. Each has five processes, a shell's trap included. */
async function startFamilies(ground: Ground, service: Serving): Promise<FrameClient> {
  const client = await FrameClient.open(service.websocket);
  for (const kind of ["resume", "fail"]) {
    await client.request("subscribe", { channel: `workflow:${kind}` });
    await client.request("run_workflow", { definition: kind, workflow_id: kind });
  }
  await expect.poll(() => ground.offspring(service).length, { timeout: 30_000 }).toBeGreaterThanOrEqual(10);
  return client;
}

const story = (events: readonly { event: string; data: Record<string, unknown> }[]) =>
  events.map(({ event, data }) => data.stage_name ? `${event} ${data.stage_name}` : event);

describe.runIf(tellsProcesses).each(["node", "deno", "bun"] as const)("mahavishnu on %s", (runtime) => {
  it.runIf(hasRuntime(runtime))(
    "after kill -9 ends what was left behind as soon as it starts again, and resumes or fails its workflows",
    async () => {
      const ground = await makeGround(runtime, "kill");
      const before = await ground.start();
      await startFamilies(ground, before);
      before.kill("SIGKILL");
      await expect.poll(() => before.isAlive()).toBe(false);
      // They are really left behind: the kill has reached the service alone.
      expect(ground.offspring(before).length).toBeGreaterThanOrEqual(10);

      await writeFile(join(ground.folder, "go"), "");
      const after = await ground.start();
      const client = await FrameClient.open(after.websocket);
      try {
        await client.request("subscribe", { channel: "workflow:resume", last: 100 });
        await client.event("workflow.completed", "workflow:resume");
        expect(ground.offspring(after)).toEqual([]);
        const history = async (id: string) =>
          story((await client.request("get_history", { channel: `workflow:${id}` })).data.events);
        expect(await history("resume")).toEqual([
          "workflow.started",
          "workflow.stage_completed first",
          "workflow.stage_completed second",
          "workflow.stage_completed last",
          "workflow.completed",
        ]);
        expect(await history("fail")).toEqual([
          "workflow.started",
          "workflow.stage_completed first",
          "workflow.failed",
        ]);
        const failed = await client.request("get_workflow_status", { workflow_id: "fail" });
        expect(failed.data).toMatchObject({ status: "failed", error: "interrupted", failed_stage: "second" });
        const resumed = await client.request("get_workflow_status", { workflow_id: "resume" });
        expect(resumed.data.stages).toMatchObject([{ attempts: 1 }, { attempts: 2 }, { attempts: 1 }]);
        await client.close();
      } finally {
        after.kill("SIGTERM");
      }
      expect(await after.ended).toMatchObject({ code: 0, complaints: [] });
    },
    90_000,
  );

  it.runIf(hasRuntime(runtime))(
    "on SIGTERM ends all that its workflows have started, and takes them up again",
    async () => {
      const ground = await makeGround(runtime, "stop");
      const before = await ground.start();
      const client = await startFamilies(ground, before);
      before.kill("SIGTERM");
      expect(await before.ended).toMatchObject({ code: 0, complaints: [] });
      expect(ground.offspring(before)).toEqual([]);
      await client.closed;
      await writeFile(join(ground.folder, "go"), "");
      const after = await ground.start();
      const again = await FrameClient.open(after.websocket);
      try {
        await again.request("subscribe", { channel: "workflow:resume", last: 100 });
        await again.event("workflow.completed", "workflow:resume");
        const failed = await again.request("get_workflow_status", { workflow_id: "fail" });
        expect(failed.data).toMatchObject({ status: "failed", error: "interrupted" });
        await again.close();
      } finally {
        after.kill("SIGTERM");
      }
      expect(await after.ended).toMatchObject({ code: 0, complaints: [] });
      expect(ground.offspring(after)).toEqual([]);
    },
    90_000,
  );
});

describe.runIf(tellsProcesses)("mahavishnu, killed amid a burst of workflows", () => {
  it("leaves nothing running after its next start, and brings each workflow to its end once", async () => {
    const ground = await makeGround("node", "burst");
    const ids = Array.from({ length: 12 }, (_, index) => `burst-${index}`);
    let service = await ground.start();
    let client = await FrameClient.open(service.websocket);
    for (const workflow_id of ids) await client.request("run_workflow", { definition: "burst", workflow_id });
    for (const seen of [3, 8, 16]) {
      const channel = "pool:default";
      await client.request("subscribe", { channel, last: 256 });
      const isSeen = () =>
        client.events(channel).filter(({ data }) => data.status === "starting").length >= seen;
      await client.frame(isSeen);
      service.kill("SIGKILL");
      await expect.poll(() => service.isAlive()).toBe(false);
      service = await ground.start();
      client = await FrameClient.open(service.websocket);
    }
    try {
      for (const id of ids) {
        const status = () =>
          client.request("get_workflow_status", { workflow_id: id }).then(({ data }) => data.status);
        await expect.poll(status, { timeout: 60_000 }).toBe("completed");
        const { data } = await client.request("get_history", { channel: `workflow:${id}` });
        const told = story(data.events);
        expect(new Set(told).size).toBe(told.length);
        expect(told[0]).toBe("workflow.started");
        expect(told.at(-1)).toBe("workflow.completed");
        expect(told).toHaveLength(6);
      }
      await expect.poll(() => ground.offspring(service)).toEqual([]);
      await client.close();
    } finally {
      service.kill("SIGTERM");
    }
    expect(await service.ended).toMatchObject({ code: 0, complaints: [] });
    expect(ground.offspring(service)).toEqual([]);
  }, 120_000);
});
