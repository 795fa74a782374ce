import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";
import { connect, type Example, isFree, post, START_TIMEOUT_MS, startExample } from "./running-example.ts";

/** Two starts in one test. */
const TIMEOUT_MS = 2 * START_TIMEOUT_MS + 10_000;

let running: Example | null = null;
const folder = mkdtempSync(join(tmpdir(), "own-service-"));

afterEach(async () => {
  await running?.stop();
  running = null;
  rmSync(folder, { recursive: true, force: true });
});

async function start(runtime: RuntimeName): Promise<{ websocket: string; http: string }> {
  running = await startExample(runtime, "examples/own-service.ts", {
    isUp: /^Stop with Ctrl-C$/,
    args: ["--port", "0", "--http-port", "0", "--storage", join(folder, `${runtime}.db`)],
  });
  const addressOf = (name: string) =>
    running!.lines.map((line) => line.trim().split(/\s+/)).find(([first]) => first === name)![1]!;
  return { websocket: addressOf("WebSocket"), http: addressOf("HTTP") };
}

for (const runtime of ["node", "deno", "bun"] as const) {
  describe.runIf(hasRuntime(runtime))(
    `examples/own-service.ts on ${runtime}`,
    { timeout: TIMEOUT_MS },
    () => {
      it("tells watchers of a task that is added by WebSocket, and taken and finished by HTTP", async () => {
        const { websocket, http } = await start(runtime);
        const watcher = await connect(websocket);
        watcher.send({ type: "subscribe", data: { channel: "queue" } });
        expect(await watcher.take({ type: "ack" })).toMatchObject({ data: { channel: "queue" } });

        watcher.send({ type: "request", event: "add_task", data: { title: "Write the docs" } });
        const { data: task } = await watcher.take({ type: "response", event: "add_task" });
        expect(task).toEqual({
          task_id: 1,
          title: "Write the docs",
          state: "open",
          worker: null,
          result: null,
        });
        expect(await watcher.take({ event: "task.added" })).toMatchObject({ room: "queue", data: task });

        const taken = await post(`${http}/api/requests/take_task`, { worker: "ada" });
        expect(taken).toMatchObject({ status: 200, body: { task: { task_id: 1, worker: "ada" } } });
        expect(await watcher.take({ event: "task.taken" })).toMatchObject({ data: { worker: "ada" } });

        const finish = { task_id: 1, worker: "ada", result: "docs/queue.md" };
        expect((await post(`${http}/api/requests/finish_task`, finish)).status).toBe(200);
        expect(await watcher.take({ event: "task.done" })).toMatchObject({
          data: { result: "docs/queue.md" },
        });

        expect(await running!.stop()).toBe(0);
        expect(await watcher.closed).toBe(1001);
        expect([await isFree(websocket), await isFree(http)]).toEqual([true, true]);
      });

      it("gives a task to another worker when its time is over, and keeps it through a restart", async () => {
        const first = await start(runtime);
        await post(`${first.http}/api/requests/add_task`, { title: "Measure" });
        await post(`${first.http}/api/requests/take_task`, { worker: "ada", seconds: 0 });
        expect(await running!.stop()).toBe(0);

        const { http } = await start(runtime);
        const retaken = await post(`${http}/api/requests/take_task`, { worker: "bob" });
        expect(retaken.body).toMatchObject({ task: { title: "Measure", worker: "bob" } });
        expect((await post(`${http}/api/requests/take_task`, { worker: "eve" })).body).toEqual({
          task: null,
        });
        const late = await post(`${http}/api/requests/finish_task`, {
          task_id: 1,
          worker: "ada",
          result: "late",
        });
        expect(late).toMatchObject({ status: 409, body: { error_code: "CONFLICT" } });
      });
    },
  );
}
