/**
 * What a request has set going, and the service does later, belongs to the request's trace.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { CrackerjackWebSocketServer } from "../../services/crackerjack/mod.ts";
import { DhruvaWebSocketServer } from "../../services/dhruva/mod.ts";
import { MahavishnuWebSocketServer } from "../../services/mahavishnu/mod.ts";
import { type RunningService, startService } from "../suite/running-service.ts";
import { FrameClient, type Received } from "../support/frame-client.ts";
import { executable } from "../support/start-program.ts";
import { adapter, ADAPTER_ID } from "./dhruva/started-manager.ts";

const traceparent = `00-${"c".repeat(32)}-00f067aa0ba902b7-01`;

let running: RunningService;
let client: FrameClient;
afterEach(async () => {
  await client?.close();
  await running?.stop();
});

async function listen(channels: readonly string[]): Promise<void> {
  client = await FrameClient.open(running.url);
  for (const channel of channels) await client.request("subscribe", { channel });
}

/** Names of the events so far, each once, by whether they carry the trace. */
function named(isTraced: boolean): string[] {
  const events = client.frames.filter(({ type, seq }: Received) => type === "event" && seq !== undefined);
  const matching = events.filter((event) => (event.traceparent === traceparent) === isTraced);
  return [...new Set(matching.map(({ event }) => event as string))].sort();
}

describe("the trace of a request", { timeout: 60_000 }, () => {
  it("goes with all events of the workflow that it begins, and with none of another one", async () => {
    const definitions = fileURLToPath(new URL("../../examples/workflows", import.meta.url));
    running = await startService({
      name: "mahavishnu",
      Server: MahavishnuWebSocketServer,
      own: () => ({ definitions }),
    });
    await listen(["workflow:*", "pool:*"]);
    const run = (workflow_id: string, more: object) => {
      const inputs = { branch: "trunk", prompt: "Build it" };
      return client.request("run_workflow", { definition: "diamond", workflow_id, inputs }, more);
    };
    await run("traced", { traceparent });
    await client.event("workflow.completed", "workflow:traced");
    const all = [
      "worker.status_changed",
      "workflow.completed",
      "workflow.stage_completed",
      "workflow.started",
    ];
    expect(named(true)).toEqual(all);
    expect(named(false).filter((name) => name.startsWith("workflow"))).toEqual([]);
    await run("other", {});
    await client.event("workflow.completed", "workflow:other");
    expect(client.events("workflow:other").filter((event) => event.traceparent !== undefined)).toEqual([]);
  });

  it("goes with the start, the failures and the end of the test run that it asks for", async () => {
    const tap = 'console.log("1..1\\nnot ok 1 - fails"); process.exitCode = 1;';
    running = await startService({
      name: "crackerjack",
      Server: CrackerjackWebSocketServer,
      async own(folder) {
        await writeFile(join(folder, "tests.mjs"), tap);
        const command = [executable("node")!, "tests.mjs"];
        return { roots: [folder], projects: { shop: { path: ".", command, runner: "tap" } } };
      },
    });
    await listen(["test:*"]);
    await client.request("run_tests", { project: "shop" }, { traceparent });
    await client.event("test.completed");
    expect(named(true)).toEqual(["test.completed", "test.failed", "test.started"]);
    expect(named(false)).toEqual([]);
  });

  it("goes with the deliveries of the distribution that it asks for", async () => {
    running = await startService({
      name: "dhruva",
      Server: DhruvaWebSocketServer,
      async own(folder) {
        const target = join(folder, "target");
        await mkdir(target);
        return { targets: { here: { folder: target } } };
      },
    });
    await listen(["distribution", "adapter:*"]);
    await client.request("store_adapter", adapter("1.0", { content: "the content" }));
    await client.request("distribute_adapter", { adapter_id: ADAPTER_ID, targets: ["here"] }, {
      traceparent,
    });
    await client.event("adapter.distributed");
    expect(named(true)).toEqual(["adapter.distributed"]);
    expect(named(false)).toEqual(["adapter.stored"]);
  });
});
