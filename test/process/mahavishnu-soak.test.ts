import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MahavishnuWebSocketServer } from "../../services/mahavishnu/mod.ts";
import { processesWith, tellsProcesses } from "../services/mahavishnu/workflow-processes.ts";
import { type RunningService, startService } from "../suite/running-service.ts";
import { FrameClient, type Received } from "../support/frame-client.ts";

/** How many workflows are run: `SOAK_WORKFLOWS=500` for a long soak. */
const WORKFLOWS = Number(process.env.SOAK_WORKFLOWS ?? 50);

/** Workflows before anything is measured: code and connections that are made once are made by them. */
const WARM_UP = 20;

const PATIENCE_MS = 60_000 + WORKFLOWS * 1_000;

/** In the environment of all that these workflows start. */
const MARK = crypto.randomUUID();

const service = {
  name: "mahavishnu",
  Server: MahavishnuWebSocketServer,
  own: () => ({
    allow_inline: true,
    workflows_kept: 100_000,
    stop_grace_ms: 200,
    pools: { default: { min: 1, max: 6, queue: 100_000, idle_ms: 200 } },
  }),
};

const env = { SOAK_TEST: MARK };
const stage = (script: string, more: object = {}) => ({ run: ["sh", "-c", script], env, ...more });

/** Short workflows of every kind, and how each ends. */
const KINDS: readonly { stages: object; end: string; cancelled?: boolean }[] = [
  { stages: { one: stage("exit 0"), two: stage("echo done", { needs: ["one"] }) }, end: "completed" },
  {
    stages: { one: stage("exit 0"), two: stage("exit 0"), three: stage("exit 0", { needs: ["one", "two"] }) },
    end: "completed",
  },
  { stages: { one: stage("[ $STAGE_ATTEMPT = 2 ]", { retries: 1 }) }, end: "completed" },
  { stages: { one: stage("exit 3"), two: stage("exit 0", { needs: ["one"] }) }, end: "failed" },
  { stages: { one: stage("exec sleep 1000", { timeout: "50ms" }) }, end: "failed" },
  { stages: { one: stage("sleep 1000 & setsid sleep 1000 & exit 0") }, end: "completed" },
  { stages: { one: { run: ["no-such-program"] } }, end: "failed" },
  {
    stages: { one: stage("exec sleep 1000"), two: stage("exec sleep 1000") },
    end: "cancelled",
    cancelled: true,
  },
  { stages: { one: stage("head -c 300000 /dev/zero; kill -KILL $$") }, end: "failed" },
];

/** Open files of this process, and what keeps it busy, by kind. */
function handles(): Record<string, number> {
  const counts: Record<string, number> = { files: readdirSync("/proc/self/fd").length };
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** Kinds of which there are more than before. Timers and what is done at once come and go by themselves. */
function grown(before: Record<string, number>): string[] {
  const now = handles();
  return Object.keys(now).filter((kind) =>
    !["Timeout", "Immediate"].includes(kind) && now[kind]! > (before[kind] ?? 0)
  )
    .map((kind) => `${kind}: ${before[kind] ?? 0} before, ${now[kind]} now`);
}

describe.runIf(tellsProcesses)(`mahavishnu, ${WORKFLOWS} short workflows long`, () => {
  let running: RunningService;
  let client: FrameClient;
  beforeAll(async () => {
    running = await startService(service, { websocket: { message_rate_limit: 0 } });
    client = await FrameClient.open(running.url);
    await client.request("subscribe", { channel: "global" });
  });
  afterAll(async () => {
    await client.close();
    await running.stop();
  });

  const ended = new Map<string, Received>();
  const isEnd = ({ event, type }: Received) =>
    type === "event" && /^workflow\.(completed|failed)$/.test(event);

  async function runAll(name: string, count: number): Promise<void> {
    const ids = Array.from({ length: count }, (_, index) => `${name}-${index}`);
    await Promise.all(ids.map(async (workflow_id, index) => {
      const { stages, cancelled } = KINDS[index % KINDS.length]!;
      const answer = await client.request("run_workflow", { workflow_id, definition: { name, stages } });
      expect(answer).toMatchObject({ type: "response", data: { workflow_id } });
      if (!cancelled) return;
      expect((await client.request("cancel_workflow", { workflow_id })).type).toBe("response");
    }));
    await expect.poll(() => {
      for (const frame of client.events("global").filter(isEnd)) ended.set(frame.data.workflow_id, frame);
      return ids.filter((id) => !ended.has(id));
    }, { timeout: PATIENCE_MS, interval: 50 }).toEqual([]);
    const rest = () => client.request("get_pool_status", { pool_id: "default" }).then(({ data }) => data);
    await expect.poll(rest, { timeout: PATIENCE_MS }).toMatchObject({
      active_workers: 0,
      worker_count: 1,
      queue_size: 0,
    });
  }

  it("leaves no process, no open handle and no workflow that is not accounted for", {
    timeout: 2 * PATIENCE_MS,
  }, async () => {
    await runAll("warm-up", WARM_UP);
    const before = handles();
    await runAll("soak", WORKFLOWS);

    expect(processesWith("SOAK_TEST", MARK)).toEqual([]);
    await expect.poll(() => grown(before), { timeout: 30_000 }).toEqual([]);

    // Each has one beginning and one end, and its row says the same.
    const told = new Map<string, string[]>();
    for (const { event, data } of client.events("global")) {
      if (!event.startsWith("workflow.")) continue;
      told.set(data.workflow_id, [...told.get(data.workflow_id) ?? [], event]);
    }
    for (let n = 0; n < WORKFLOWS; n++) {
      const id = `soak-${n}`;
      const { end } = KINDS[n % KINDS.length]!;
      expect(told.get(id), id).toEqual([
        "workflow.started",
        end === "completed" ? "workflow.completed" : "workflow.failed",
      ]);
      const { data } = await client.request("get_workflow_status", { workflow_id: id });
      expect(data, id).toMatchObject({ status: end, ended_at: expect.any(String) });
      for (const stage of data.stages) {
        expect(["completed", "failed", "timeout", "cancelled", "skipped"], id).toContain(stage.status);
      }
    }
    const { data } = await client.request("get_status");
    expect(data.manager.workflows_active).toBe(0);
    expect(Object.keys(data.manager.workflows).sort()).toEqual(["cancelled", "completed", "failed"]);
    const sum = Object.values(data.manager.workflows as Record<string, number>).reduce((a, b) => a + b);
    expect(sum).toBe(WARM_UP + WORKFLOWS);
    expect(running.log.filter((line) => / (WARN|ERROR) /.test(line))).toEqual([]);
  });
});
