import { chmod, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { adapter, ADAPTER_ID, sha256Of, type Started, startManager } from "./started-manager.ts";
import { distributing, QUICK, SHA256, startDistributing } from "./distributing.ts";

let started: Started;
afterEach(() => started?.stop());

const { distribute, status, ack, distributed } = distributing(() => started);

async function startWithFolder(more: JsonObject = {}): Promise<string> {
  const made = await startDistributing(more);
  started = made.started;
  return made.folder;
}

/** Wait until so many attempts at the only target have been written down. */
const tried = (id: string, attempts: number) =>
  started.until(async () => (await status(id)).targets[0]!.attempts === attempts);

describe("a folder target", () => {
  it("gets the content as a file, and acknowledges by what is read back", async () => {
    const folder = await startWithFolder();
    const answer = await distribute(["here"]);
    expect(answer).toMatchObject({
      adapter_id: ADAPTER_ID,
      version: "1.0",
      sha256: SHA256,
      size: 11,
      status: "pending",
      targets: [{
        target: "here",
        kind: "folder",
        status: "pending",
        attempts: 0,
        error: null,
        sha256: null,
      }],
      ended_at: null,
    });
    const told = await started.heard("adapter.distributed");
    expect(told).toEqual({
      event: "adapter.distributed",
      channels: [`adapter:${ADAPTER_ID}`, "distribution"],
      data: {
        adapter_id: ADAPTER_ID,
        version: "1.0",
        distribution_id: answer.distribution_id,
        target: "here",
        status: "acknowledged",
        sha256: SHA256,
        attempts: 1,
        error: null,
      },
    });
    expect(await readFile(join(folder, "storage/cache/redis/1.0"), "utf8")).toBe("the content");
    expect(await readdir(join(folder, "storage/cache/redis"))).toEqual(["1.0"]);
    expect(await status(answer.distribution_id)).toMatchObject({
      status: "acknowledged",
      targets: [{ status: "acknowledged", sha256: SHA256, attempts: 1, next_attempt_at: null }],
      ended_at: "2026-01-01T00:00:00.000Z",
    });
  });

  it("gets an old version where that is asked for, and only one that is kept", async () => {
    const folder = await startWithFolder();
    await started.request("store_adapter", adapter("2.0", { content: "newer" }));
    await distribute(["here"], { version: "1.0" });
    await started.heard("adapter.distributed");
    expect(await readdir(join(folder, "storage/cache/redis"))).toEqual(["1.0"]);
    await expect(distribute(["here"], { version: "3.0" })).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("that is missing is tried again after a pause, until it is there; it is never made", async () => {
    const folder = await startWithFolder();
    await rename(folder, `${folder}-away`);
    const { distribution_id: id } = await distribute(["here"]);
    await tried(id, 1);
    expect(await status(id)).toMatchObject({
      status: "pending",
      targets: [{ status: "pending", attempts: 1, error: expect.stringContaining("does not exist") }],
    });
    expect(await readdir(started.folder)).not.toContain("target");
    await rename(`${folder}-away`, folder);
    started.clock.advance(1_000);
    expect((await started.heard("adapter.distributed")).data).toMatchObject({
      status: "acknowledged",
      attempts: 2,
    });
  });

  it("that stays missing is told as failed, after as many attempts as the setting says", async () => {
    const folder = await startWithFolder();
    await rm(folder, { recursive: true });
    const { distribution_id: id } = await distribute(["here"]);
    for (const attempts of [1, 2]) {
      await tried(id, attempts);
      expect(distributed()).toEqual([]);
      started.clock.advance(1_000);
    }
    expect((await started.heard("adapter.distributed")).data).toMatchObject({
      target: "here",
      status: "failed",
      sha256: SHA256,
      attempts: 3,
      error: expect.stringContaining("does not exist"),
    });
    expect(await status(id)).toMatchObject({ status: "failed", ended_at: expect.any(String) });
    started.clock.advance(3_600_000);
    expect(distributed()).toHaveLength(1);
  });

  it("waits twice as long after each attempt, up to the bound, and between half and all of it", async () => {
    const folder = await startWithFolder({ retry_base_ms: 1_000, retry_max_ms: 3_000, attempts: 5 });
    await rm(folder, { recursive: true });
    const { distribution_id: id } = await distribute(["here"]);
    for (const [attempts, longest] of [[1, 1_000], [2, 2_000], [3, 3_000], [4, 3_000]] as const) {
      await tried(id, attempts);
      const { next_attempt_at } = (await status(id)).targets[0]!;
      const pause = Date.parse(next_attempt_at!) - started.clock.now();
      expect(pause).toBeGreaterThanOrEqual(longest / 2);
      expect(pause).toBeLessThanOrEqual(longest);
      started.clock.advance(pause);
    }
    await started.heard("adapter.distributed");
  });

  it("that is read-only fails with a sentence", async () => {
    // To root every folder can be written to, but none can be made here.
    const isRoot = process.getuid?.() === 0;
    const folder = await startWithFolder({
      attempts: 1,
      ...isRoot && { targets: { here: { folder: "/proc" } } },
    });
    await chmod(folder, 0o500);
    await distribute(["here"]);
    const { data } = await started.heard("adapter.distributed");
    await chmod(folder, 0o700);
    expect(data).toMatchObject({
      status: "failed",
      error: expect.stringMatching(/^Cannot make the folder ".*storage": /),
    });
  });

  it("is not left by a link in it: what lies behind stays as it is", async () => {
    const folder = await startWithFolder({ attempts: 1 });
    const outside = join(started.folder, "outside");
    await mkdir(join(outside, "cache/redis"), { recursive: true });
    await symlink(outside, join(folder, "storage"));
    await distribute(["here"]);
    expect((await started.heard("adapter.distributed")).data).toMatchObject({
      status: "failed",
      error: expect.stringContaining("is a link"),
    });
    expect(await readdir(join(outside, "cache/redis"))).toEqual([]);
  });

  it("replaces a link that has the file's name, and not what it leads to", async () => {
    const folder = await startWithFolder();
    const outside = join(started.folder, "outside.txt");
    await writeFile(outside, "untouched");
    await mkdir(join(folder, "storage/cache/redis"), { recursive: true });
    await symlink(outside, join(folder, "storage/cache/redis/1.0"));
    await distribute(["here"]);
    expect((await started.heard("adapter.distributed")).data).toMatchObject({ status: "acknowledged" });
    expect(await readFile(outside, "utf8")).toBe("untouched");
    expect(await readFile(join(folder, "storage/cache/redis/1.0"), "utf8")).toBe("the content");
  });

  it("is told as failed where a folder has the file's name", async () => {
    const folder = await startWithFolder({ attempts: 1 });
    await mkdir(join(folder, "storage/cache/redis/1.0"), { recursive: true });
    await distribute(["here"]);
    expect((await started.heard("adapter.distributed")).data).toMatchObject({ status: "failed" });
  });

  it("gets nothing of a content that is corrupt, and the corruption is told", async () => {
    const folder = await startWithFolder({ attempts: 1 });
    await writeFile(started.blobPath(SHA256), "THE CONTENT");
    await distribute(["here"]);
    expect((await started.heard("adapter.distributed")).data).toMatchObject({
      status: "failed",
      error: expect.stringContaining("corrupt"),
    });
    expect((await started.heard("storage.event", (data) => data.operation === "corrupt")).data.sha256).toBe(
      SHA256,
    );
    expect(await readdir(join(folder, "storage/cache/redis"))).toEqual([]);
  });

  // After a crash: test/process/dhruva.test.ts.
  it("is reached again after a restart, with the attempts that were made", async () => {
    const folder = await startWithFolder();
    await rm(folder, { recursive: true });
    const { distribution_id: id } = await distribute(["here"]);
    await tried(id, 1);
    await started.restart("orderly");
    await mkdir(folder);
    started.clock.advance(1_000);
    expect((await started.heard("adapter.distributed")).data).toMatchObject({
      distribution_id: id,
      status: "acknowledged",
      attempts: 2,
    });
  });

  it("is reached after the wall clock was set back", async () => {
    await startWithFolder();
    const { distribution_id: id } = await distribute(["client:a"]);
    // Written in a time to come.
    const later = started.clock.now() + 86_400_000;
    started.database.prepare("UPDATE deliveries SET next_at = ?").run(later);
    await started.restart();
    expect((await status(id)).targets[0]!.attempts).toBe(2);
  });
});

describe("a distribution", () => {
  it("tells each target by itself, and ends with the last", async () => {
    const folder = await startWithFolder({ attempts: 1 });
    const { distribution_id: id } = await distribute(["here", "client:a", "client:b"]);
    await started.heard("adapter.distributed", ({ target }) => target === "here");
    expect(await status(id)).toMatchObject({ status: "pending", ended_at: null });
    await ack(id, "client:a", SHA256);
    started.clock.advance(10_000);
    await started.heard("adapter.distributed", ({ target }) => target === "client:b");
    expect(await status(id)).toMatchObject({
      status: "failed",
      targets: [
        { target: "here", status: "acknowledged" },
        { target: "client:a", status: "acknowledged" },
        { target: "client:b", status: "failed" },
      ],
      ended_at: expect.any(String),
    });
    expect(await readdir(folder)).toEqual(["storage"]);
  });

  it("brings no more to targets at a time than the setting says, and all in the end", async () => {
    const targets = Array.from({ length: 20 }, (_, n) => `t${n}`);
    started = await startManager((folder) => ({
      ...QUICK,
      parallel_deliveries: 2,
      targets: Object.fromEntries(targets.map((name) => [name, { folder: join(folder, name) }])),
    }));
    for (const name of targets) await mkdir(join(started.folder, name));
    await started.request("store_adapter", adapter("1.0", { content: "the content" }));
    let most = 0;
    const { distribution_id: id } = await distribute(targets);
    await started.until(async () => {
      most = Math.max(most, Number(started.manager.getStatus({})["deliveries_active"]));
      return (await status(id)).status === "acknowledged";
    });
    expect(most).toBeLessThanOrEqual(2);
    expect(distributed().map(({ data }) => data.target).sort()).toEqual([...targets].sort());
  });

  it.each<[string, string[], string]>([
    ["a target that nobody has named", ["nowhere"], "NOT_FOUND"],
    ["a name that every object has", ["constructor"], "NOT_FOUND"],
    ["a URL", ["http://169.254.169.254/latest"], "INVALID_DATA"],
    ["a path", ["/etc"], "INVALID_DATA"],
    ["a target twice", ["client:a", "client:a"], "CONFLICT"],
    ["no target", [], "INVALID_DATA"],
    ["too many targets", Array.from({ length: 33 }, (_, n) => `client:${n}`), "INVALID_DATA"],
  ])("to %s is refused", async (_, targets, code) => {
    await startWithFolder();
    await expect(distribute(targets)).rejects.toMatchObject({ code });
    expect(started.told()).toEqual([]);
  });

  it("of an unknown adapter is refused, and an unknown one has status not_found", async () => {
    await startWithFolder();
    await expect(distribute(["here"], { adapter_id: "no:such:one" })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    expect(await status("none")).toEqual({ distribution_id: "none", status: "not_found", targets: [] });
    await expect(ack("none", "client:a", SHA256)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("is refused where as many are open as the setting allows", async () => {
    await startWithFolder({ open_distributions: 2 });
    const { distribution_id: id } = await distribute(["client:a"]);
    await distribute(["client:a"]);
    await expect(distribute(["client:a"])).rejects.toMatchObject({
      code: "NOT_AVAILABLE",
      message: expect.stringContaining("open_distributions"),
    });
    await ack(id, "client:a", SHA256);
    expect(await distribute(["client:a"])).toMatchObject({ status: "pending" });
  });

  it("is forgotten when newer ones have ended, as the setting says", async () => {
    await startWithFolder({ keep_distributions: 1 });
    const ids: string[] = [];
    for (let n = 0; n < 2; n++) ids.push((await distribute(["client:a"])).distribution_id);
    for (const id of ids) await ack(id, "client:a", SHA256);
    expect((await status(ids[0]!)).status).toBe("not_found");
    expect((await status(ids[1]!)).status).toBe("acknowledged");
  });

  it("keeps its content from being collected until it has ended, though its version is gone", async () => {
    await startWithFolder({ keep_versions: 1, orphan_seconds: 0, attempts: 100 });
    const { distribution_id: id } = await distribute(["client:a"]);
    await started.request("store_adapter", adapter("2.0", { content: "newer" }));
    const collected = (content: string) =>
      started.heard(
        "storage.event",
        ({ operation, sha256 }) => operation === "collected" && sha256 === sha256Of(content),
      );
    await started.upload("needed by nobody");
    started.clock.advance(60_000);
    await collected("needed by nobody");
    expect(await started.download(SHA256)).toBe("the content");
    await ack(id, "client:a", SHA256);
    await collected("the content");
    await expect(started.download(SHA256)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("shows in the snapshot of its channel while it is open", async () => {
    await startWithFolder();
    const { distribution_id: id } = await distribute(["client:a"]);
    expect(started.manager.snapshot("distribution", null)).toMatchObject({
      open: 1,
      distributions: [{ distribution_id: id, targets: [{ target: "client:a", status: "pending" }] }],
    });
    await ack(id, "client:a", SHA256);
    expect(started.manager.snapshot("distribution", null)).toEqual({ open: 0, distributions: [] });
  });
});
