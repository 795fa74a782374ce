import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CrackerjackWebSocketServer } from "../../services/crackerjack/mod.ts";
import { type RunningService, startService } from "../suite/running-service.ts";
import { buildOnce } from "../support/build-once.ts";
import { FrameClient } from "../support/frame-client.ts";
import { makeScratch, type Scratch, serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

let scratch: Scratch;
let crackerjack: RunningService;
beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
  crackerjack = await startService({
    name: "crackerjack",
    Server: CrackerjackWebSocketServer,
    own: (folder) => ({ roots: [folder], projects: { shop: { path: "." } } }),
  });
}, 120_000);
afterAll(async () => {
  await crackerjack?.stop();
  await scratch.remove();
});

const cover = (n: number) =>
  crackerjack.request({
    name: "report_coverage",
    data: { project: "shop", content: `TN:\nSF:a.js\nLF:1000\nLH:${n}\nend_of_record\n` },
  });

async function settingsOf(runtime: RuntimeName): Promise<string[]> {
  const file = join(scratch.folder, `${runtime}.yaml`);
  await writeFile(
    file,
    `akosha:\n  feeds:\n    crackerjack:\n      url: ${crackerjack.url}\n      channels:\n        coverage:\n` +
      "          - { event: coverage.updated, metric: coverage.line, value: /line_coverage, labels: { project: /project } }\n",
  );
  return ["akosha", "--settings", file, ...scratch.flags(runtime)];
}

/** Observations that were taken over of a metric. */
async function counted(client: FrameClient, metric: string): Promise<number> {
  const { data } = await client.request("list_metrics", { metric });
  return data.metrics[0]?.count ?? 0;
}

async function kill(service: Serving): Promise<void> {
  service.kill("SIGKILL");
  await expect.poll(() => service.isAlive()).toBe(false);
}

const step = (count: number, value: number) => ({
  observations: Array.from({ length: count }, () => ({ metric: "load", value, labels: { host: "a" } })),
});

describe.each(["node", "deno", "bun"] as const)("akosha on %s", (runtime) => {
  it.runIf(hasRuntime(runtime))(
    "after kill -9 knows what was usual, which excursion goes on, and where its feed was",
    async () => {
      const args = await settingsOf(runtime);
      const first = await serve(runtime, { args });
      const client = await FrameClient.open(first.websocket);
      const isConnected = async (of: FrameClient) =>
        (await of.request("get_status")).data.manager.feeds.crackerjack.connected;
      await expect.poll(() => isConnected(client), { timeout: 30_000 }).toBe(true);
      for (let n = 1; n <= 5; n++) await cover(n);
      await expect.poll(() => counted(client, "coverage.line"), { timeout: 30_000 }).toBe(5);
      await client.request("record_observations", step(40, 10));
      const { data: { anomalies } } = await client.request("record_observations", step(2, 99));
      expect(anomalies).toHaveLength(1);
      await kill(first);
      for (let n = 6; n <= 12; n++) await cover(n);

      const second = await serve(runtime, { args });
      const again = await FrameClient.open(second.websocket);
      try {
        await expect.poll(() => counted(again, "coverage.line"), { timeout: 30_000 }).toBe(12);
        await cover(13);
        await expect.poll(() => counted(again, "coverage.line"), { timeout: 30_000 }).toBe(13);
        // The same excursion still, and after it the same baseline.
        expect((await again.request("record_observations", step(1, 99))).data.anomalies).toEqual([]);
        expect((await again.request("record_observations", step(5, 10))).data.anomalies).toEqual([]);
        expect((await again.request("record_observations", step(1, 99))).data.anomalies).toHaveLength(1);
        const { data } = await again.request("get_anomalies", { metric: "load" });
        expect(data.anomalies).toMatchObject([{ ended_at: null }, {
          anomaly_id: anomalies[0],
          observations: 3,
        }]);
        await again.request("subscribe", { channel: "anomalies", last: 10 });
        const told = await again.frame((frame) => frame.room === "anomalies" && frame.seq > 0);
        expect(told).toMatchObject({ event: "anomaly.detected", data: { anomaly_id: anomalies[0] } });
        await again.close();
      } finally {
        second.kill("SIGTERM");
      }
      expect(await second.ended).toMatchObject({ code: 0, complaints: [] });
    },
    90_000,
  );
});
