import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { answerJson, startHttpTarget } from "../services/dhruva/http-target.ts";
import { adapter, ADAPTER_ID, sha256Of } from "../services/dhruva/started-manager.ts";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { FrameClient } from "../support/frame-client.ts";
import { get, post, send } from "../support/http-client.ts";
import { serve } from "../support/serve-process.ts";
import { hasRuntime } from "../support/start-program.ts";

const scratch = useBuiltScratch();

async function argsFor(name: string, own: object): Promise<string[]> {
  const settings = join(scratch.folder, `${name}.yaml`);
  // JSON is YAML.
  await writeFile(settings, JSON.stringify({ dhruva: own }));
  return ["dhruva", "--settings", settings, ...scratch.flags(name)];
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name).sort();
}

describe.each(["node", "deno", "bun"] as const)("dhruva on %s", (runtime) => {
  it.runIf(hasRuntime(runtime))(
    "after kill -9 goes on with what is to be distributed, and has lost nothing but half an upload",
    { timeout: 120_000 },
    async () => {
      const name = `kill-${runtime}`;
      const content = "x".repeat(200_000);
      const sha256 = sha256Of(content);
      let isSilent = true;
      const target = await startHttpTarget(({ body }, response) => {
        if (!isSilent) answerJson(response, { sha256: sha256Of(body) });
      });
      const folder = join(scratch.folder, `${name}-target`);
      const args = await argsFor(name, {
        targets: { silent: { url: `${target.url}/{sha256}` }, missing: { folder } },
        attempts: 100,
        retry_base_ms: 50,
        retry_max_ms: 50,
        offer_seconds: 1,
      });
      const before = await serve(runtime, { args });
      const blob = (http: string) => `${http}/api/blobs/${sha256}`;
      expect((await send("PUT", blob(before.http), {}, content)).status).toBe(201);
      const client = await FrameClient.open(before.websocket);
      await client.request("subscribe", { channel: "distribution" });
      await client.request("store_adapter", adapter("1", { sha256 }));
      const { data: { distribution_id } } = await client.request("distribute_adapter", {
        adapter_id: ADAPTER_ID,
        targets: ["silent", "missing", "client:laptop"],
      });
      const last = await client.event("adapter.offered", "distribution");
      // One delivery is under way, one has failed, and one upload is half done.
      await expect.poll(() => target.delivered.length, { timeout: 20_000 }).toBe(1);
      const status = async (http: string) =>
        (await post(`${http}/api/requests/get_distribution_status`, { distribution_id })).body;
      await expect.poll(async () => (await status(before.http)).targets[1].attempts, { timeout: 20_000 })
        .toBeGreaterThan(0);
      const half = request(`${before.http}/api/blobs/${sha256Of("whole")}`, {
        method: "PUT",
        headers: { "content-length": 5 },
        agent: false,
      });
      half.on("error", () => {});
      half.write("who");
      const blobs = join(scratch.folder, `${name}.db.blobs`);
      await expect.poll(() => filesIn(blobs), { timeout: 20_000 }).toHaveLength(2);
      before.kill("SIGKILL");
      await before.ended;

      isSilent = false;
      await mkdir(folder);
      const after = await serve(runtime, { args });
      const again = await FrameClient.open(after.websocket);
      const since = { epoch: last.epoch, seq: last.seq };
      const reply = await again.request("subscribe", { channel: "distribution", since });
      expect(reply.data).toMatchObject({ recovered: true });
      const told = async (name: string) =>
        (await again.frame(({ event, data }) => event === "adapter.distributed" && data.target === name))
          .data;
      expect(await told("silent")).toMatchObject({ distribution_id, status: "acknowledged", sha256 });
      expect(await told("missing")).toMatchObject({ distribution_id, status: "acknowledged", sha256 });
      expect(await readFile(join(folder, "storage/cache/redis/1"), "utf8")).toBe(content);
      // The client, too, is asked once more.
      const offer = await again.frame(({ event, data }) => event === "adapter.offered" && data.attempts > 1);
      expect(offer.data).toMatchObject({ distribution_id, target: "client:laptop", sha256 });
      const { body } = await get(blob(after.http));
      await again.request("ack_distribution", {
        distribution_id,
        target: "client:laptop",
        sha256: sha256Of(body),
      });
      expect(await status(after.http)).toMatchObject({ status: "acknowledged" });
      expect(await filesIn(blobs)).toEqual([sha256]);
      after.kill("SIGTERM");
      expect(await after.ended).toMatchObject({ code: 0, complaints: [] });
      await target.stop();
    },
  );

  it.runIf(hasRuntime(runtime))(
    "takes in, gives out and distributes a content of 256 MiB in a small part of that memory",
    { timeout: 180_000 },
    async () => {
      const name = `large-${runtime}`;
      const folder = join(scratch.folder, `${name}-target`);
      await mkdir(folder);
      const args = await argsFor(name, { targets: { here: { folder } } });
      const program = await serve(runtime, { args });
      const piece = randomBytes(1_048_576);
      const pieces = 256;
      const hash = createHash("sha256");
      for (let n = 0; n < pieces; n++) hash.update(piece);
      const sha256 = hash.digest("hex");
      const url = `${program.http}/api/blobs/${sha256}`;
      const memory = () => peakMemory(program.pid);
      const before = await memory();

      async function* body() {
        for (let n = 0; n < pieces; n++) yield await Promise.resolve(piece);
      }
      expect(await put(url, body())).toBe(201);
      const client = await FrameClient.open(program.websocket);
      await client.request("subscribe", { channel: "distribution" });
      await client.request("store_adapter", adapter("1", { sha256 }));
      await client.request("distribute_adapter", { adapter_id: ADAPTER_ID, targets: ["here"] });
      const got = createHash("sha256");
      for await (const part of (await fetch(url)).body!) got.update(part);
      expect(got.digest("hex")).toBe(sha256);
      const distributed = () =>
        client.frames.find(({ event }) => event === "adapter.distributed")?.data.status;
      await expect.poll(distributed, { timeout: 60_000 }).toBe("acknowledged");
      // Whole in memory only once it would be 256 MiB and more.
      if (before !== null) expect(await memory() as number - before).toBeLessThan(200 * 1_048_576);
      await client.close();
      program.kill("SIGTERM");
      expect(await program.ended).toMatchObject({ code: 0, complaints: [] });
    },
  );
});

/** The most bytes that a process has held; null where the system does not tell. */
async function peakMemory(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, "latin1").catch(() => "");
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kibibytes === undefined ? null : Number(kibibytes) * 1_024;
}

/** PUT at the pace of the other end. Gives the status. */
async function put(url: string, body: AsyncIterable<Uint8Array>): Promise<number> {
  return await new Promise((resolve, reject) => {
    const outgoing = request(url, { method: "PUT", agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    outgoing.on("error", reject);
    (async () => {
      for await (const piece of body) {
        if (!outgoing.write(piece)) await new Promise((resolve) => outgoing.once("drain", resolve));
      }
      outgoing.end();
    })().catch(reject);
  });
}
