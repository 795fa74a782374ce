import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MahavishnuWebSocketServer } from "../../../services/mahavishnu/mod.ts";
import { createToken } from "../../../src/auth/token.ts";
import { systemClock } from "../../../src/ports/clock.ts";
import { connectClient } from "../../mcp/mcp-client.ts";
import { type RunningService, startService } from "../../suite/running-service.ts";
import { FrameClient, type Received } from "../../support/frame-client.ts";
import { post } from "../../support/http-client.ts";

const service = {
  name: "mahavishnu",
  Server: MahavishnuWebSocketServer,
  own: () => ({ definitions: fileURLToPath(new URL("../../../examples/workflows", import.meta.url)) }),
};

/** What a frame tells, in short. */
function inShort({ event, data }: Received): string {
  if (event === "workflow.stage_completed") {
    return `${data.stage_name} ${data.result.status} in ${data.result.attempts}, ${data.stages_completed} of ${data.total_stages}`;
  }
  if (event === "worker.status_changed") return `${data.previous} ${data.status}`;
  return event;
}

const story = (client: FrameClient, room: string) => client.events(room).map(inShort);

describe("the example of a diamond, at WebSocket clients", () => {
  let running: RunningService;
  let watcher: FrameClient;
  let answer: Received;
  beforeAll(async () => {
    running = await startService(service);
    watcher = await FrameClient.open(running.url);
    for (const channel of ["workflow:d1", "pool:default", "global"]) {
      await watcher.request("subscribe", { channel });
    }
    answer = await watcher.request("run_workflow", {
      definition: "diamond",
      workflow_id: "d1",
      inputs: { branch: "trunk", prompt: "Build it" },
    });
    await watcher.event("workflow.completed", "workflow:d1");
    // All workers are idle again, and it was said.
    await watcher.frame(({ event, data }) =>
      event === "pool.status_changed" && data.status.tasks_completed === 4 && data.status.active_workers === 0
    );
  }, 60_000);
  afterAll(async () => {
    await watcher.close();
    await running.stop();
  });

  test("the answer comes before the first event that it causes", () => {
    expect(answer.data).toMatchObject({ workflow_id: "d1", status: "pending", total_stages: 4 });
    const started = watcher.frames.findIndex(({ event, type }) =>
      type === "event" && event === "workflow.started"
    );
    expect(watcher.frames.indexOf(answer)).toBeLessThan(started);
  });

  test("every event of the workflow comes once and in order", () => {
    const told = story(watcher, "workflow:d1");
    expect(told.length).toBe(6);
    expect(told[0]).toBe("workflow.started");
    expect(told[1]).toBe("fetch completed in 1, 1 of 4");
    // These two run side by side, and the second attempt of test may end before lint or after it.
    const beside = told.slice(2, 4).map((line) => line.replace(/, \d of 4$/, ""));
    expect(beside.sort()).toEqual(["lint completed in 1", "test completed in 2"]);
    expect(told.slice(4)).toEqual(["pack completed in 1, 4 of 4", "workflow.completed"]);
    expect(watcher.events("workflow:d1")[0]!.data).toMatchObject({
      definition: "diamond",
      prompt: "Build it",
      stages: [
        { name: "fetch", needs: [] },
        { name: "lint", needs: ["fetch"] },
        { name: "test", needs: ["fetch"] },
        { name: "pack", needs: ["lint", "test"] },
      ],
    });
    expect(watcher.events("workflow:d1")[1]!.data.result.output_tail).toBe("fetching trunk\n");
  });

  test("global tells its start and its end, and nothing of its stages", () => {
    const told = story(watcher, "global").filter((line) => line !== "pool.status_changed");
    expect(told).toEqual(["workflow.started", "workflow.completed"]);
  });

  test("the pool tells what each worker was at, each step after the one before it", () => {
    const changes = watcher.events("pool:default").filter(({ event }) => event === "worker.status_changed");
    const last = new Map<string, string | null>([["default-1", "idle"]]);
    for (const { data } of changes) {
      expect(data.previous).toBe(last.get(data.worker_id) ?? null);
      last.set(data.worker_id, data.status);
    }
    expect([...last.values()]).toEqual(["idle", "idle"]);
    const ends = changes.filter(({ data }) => data.previous === "running");
    expect(ends.map(({ data }) => `${data.task.stage_name} ${data.task.attempt} ${data.status}`).sort())
      .toEqual([
        "fetch 1 completed",
        "lint 1 completed",
        "pack 1 completed",
        "test 1 failed",
        "test 2 completed",
      ]);
  });

  test("positions in every channel grow without a gap", () => {
    for (const room of ["workflow:d1", "pool:default", "global"]) {
      const frames = watcher.events(room);
      for (const [index, frame] of frames.slice(1).entries()) expect(frame.prev).toBe(frames[index]!.seq);
    }
  });

  test("the events of the pool come at most twice a second", () => {
    const times = watcher.events("pool:default").filter(({ event }) => event === "pool.status_changed")
      .map(({ timestamp }) => Date.parse(timestamp));
    // Stamped when they are committed, which a busy machine delays now and then; over the whole time it evens out.
    const seconds = (times.at(-1)! - times[0]!) / 1_000;
    expect(times.length).toBeLessThanOrEqual(Math.floor(2 * seconds) + 2);
  });

  test("whoever comes late is shown the workflow as it is, and may have what was missed", async () => {
    const late = await FrameClient.open(running.url);
    const reply = await late.request("subscribe", { channel: "workflow:d1" });
    expect(reply.data.snapshot).toMatchObject({
      workflow_id: "d1",
      status: "completed",
      stages_completed: 4,
      progress: 100,
      stages: [
        { name: "fetch", status: "completed", exit_code: 0 },
        { name: "lint", status: "completed", worker_id: expect.stringMatching(/^default-[12]$/) },
        { name: "test", status: "completed", attempts: 2 },
        { name: "pack", status: "completed" },
      ],
    });
    const [first] = watcher.events("workflow:d1");
    const again = await FrameClient.open(running.url);
    const since = { epoch: first!.epoch, seq: first!.seq };
    expect((await again.request("subscribe", { channel: "workflow:d1", since })).data.recovered).toBe(true);
    await again.event("workflow.completed", "workflow:d1");
    expect(again.events("workflow:d1").map(({ id }) => id)).toEqual(
      watcher.events("workflow:d1").slice(1).map(({ id }) => id),
    );
    await again.close();
    await late.close();
  });

  test("the same state is read over WebSocket, HTTP and MCP", async () => {
    const expected = (await watcher.request("get_workflow_status", { workflow_id: "d1" })).data;
    expect(expected).toMatchObject({ status: "completed", stages_completed: 4, total_stages: 4 });
    const overHttp = await post(`${running.http}/api/requests/get_workflow_status`, { workflow_id: "d1" });
    expect(overHttp.body).toMatchObject({
      workflow_id: "d1",
      status: "completed",
      ended_at: expected.ended_at,
    });
    const agent = await connectClient(`${running.http}/mcp`);
    const overMcp = await agent.call("get_workflow_status", { workflow_id: "d1" });
    expect(overMcp.structuredContent).toMatchObject({
      workflow_id: "d1",
      status: "completed",
      ended_at: expected.ended_at,
    });
    const definitions = await agent.call("list_definitions");
    expect(definitions.structuredContent).toMatchObject({ definitions: [{ name: "diamond", errors: [] }] });
    await agent.client.close();
  });

  test("whoever subscribes while a workflow runs is shown how far it is, then hears the rest, nothing twice", async () => {
    const late = await FrameClient.open(running.url);
    await watcher.request("subscribe", { channel: "workflow:d2" });
    await watcher.request("run_workflow", { definition: "diamond", workflow_id: "d2" });
    await watcher.event("workflow.stage_completed", "workflow:d2");
    const { data } = await late.request("subscribe", { channel: "workflow:d2" });
    expect(data.snapshot.status).toBe("running");
    await Promise.all([watcher, late].map((client) => client.event("workflow.completed", "workflow:d2")));
    const all = watcher.events("workflow:d2").filter(({ seq }) => seq > data.seq).map(({ id }) => id);
    expect(late.events("workflow:d2").map(({ id }) => id)).toEqual(all);
    // What the snapshot shows and what was heard after it are together the whole workflow.
    const heard =
      late.events("workflow:d2").filter(({ event }) => event === "workflow.stage_completed").length;
    expect(data.snapshot.stages_completed + heard).toBe(4);
    await late.close();
  });

  test("nothing of it has left a warning or an error in the log", () => {
    expect(running.log.filter((line) => / (WARN|ERROR) /.test(line))).toEqual([]);
  });
});

describe("with authentication on", () => {
  const SECRET = "only for this test";
  let running: RunningService;
  beforeAll(async () =>
    void (running = await startService(service, { auth: { required: true, secret: SECRET } }))
  );
  afterAll(() => running.stop());

  const bearer = async (...permissions: string[]) => ({
    authorization: `Bearer ${await createToken({
      secret: SECRET,
      userId: "ada",
      permissions,
      clock: systemClock,
    })}`,
  });
  const DATA = { definition: "diamond" };
  const FORBIDDEN = "Not authorized to run_workflow: needs mahavishnu:run";

  test("who may only read, or read and write, runs nothing: over WebSocket, HTTP and MCP", async () => {
    for (
      const permissions of [["mahavishnu:read"], ["mahavishnu:read", "mahavishnu:write"], ["workflow:read"]]
    ) {
      const headers = await bearer(...permissions);
      const client = await FrameClient.open(running.url, { headers });
      expect(await client.request("run_workflow", DATA)).toMatchObject({
        error_code: "FORBIDDEN",
        error_message: FORBIDDEN,
      });
      const overHttp = await post(`${running.http}/api/requests/run_workflow`, DATA, headers);
      expect(overHttp).toMatchObject({
        status: 403,
        body: { error_code: "FORBIDDEN", error_message: FORBIDDEN },
      });
      const agent = await connectClient(`${running.http}/mcp`, headers);
      const overMcp = await agent.call("run_workflow", DATA);
      expect(overMcp.isError).toBe(true);
      expect(overMcp.content[0]!.text).toContain("FORBIDDEN");
      await agent.client.close();
      expect((await client.request("list_workflows")).data.workflows).toEqual([]);
      await client.close();
    }
  });

  test("who holds mahavishnu:run runs workflows: over WebSocket, HTTP and MCP", async () => {
    const headers = await bearer("mahavishnu:run", "mahavishnu:read");
    const client = await FrameClient.open(running.url, { headers });
    await client.request("subscribe", { channel: "global" });
    const ids = [(await client.request("run_workflow", DATA)).data.workflow_id];
    ids.push((await post(`${running.http}/api/requests/run_workflow`, DATA, headers)).body.workflow_id);
    const agent = await connectClient(`${running.http}/mcp`, headers);
    ids.push((await agent.call("run_workflow", DATA)).structuredContent!.workflow_id);
    for (const id of ids) {
      await client.frame(({ event, data }) => event === "workflow.completed" && data.workflow_id === id);
    }
    await agent.client.close();
    await client.close();
  });

  test("who holds nothing of mahavishnu neither subscribes nor asks", async () => {
    const client = await FrameClient.open(running.url, { headers: await bearer("session-buddy:read") });
    for (const channel of ["workflow:d1", "pool:default", "worker:default-1", "global"]) {
      expect((await client.request("subscribe", { channel })).error_code).toBe("FORBIDDEN");
    }
    expect((await client.request("list_pools")).error_code).toBe("FORBIDDEN");
    await client.close();
  });
});
