import { mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { adapter, ADAPTER_ID, bodyOf, sha256Of, type Started, startManager } from "./started-manager.ts";

let started: Started;
afterEach(async () => {
  const { stop } = started;
  // A test that starts none finds nothing to stop.
  started = { stop: () => Promise.resolve() } as Started;
  await stop();
});

const blobEvents = () =>
  started.told().filter(({ channels }) => channels.includes("storage:blob"))
    .map(({ data }) => [data.operation, data.sha256]);
const upload = (sha256: string, body: ReadableStream<Uint8Array> | null, length: number | null = null) =>
  started.manager.transfers.upload({ sha256, body, length });

/** A body that a test feeds. */
function heldBody() {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (given) => void (controller = given),
    cancel: () => void (cancelled = true),
  });
  const send = (text: string) => controller.enqueue(new TextEncoder().encode(text));
  return { body, send, fail: () => controller.error(new Error("gone")), isCancelled: () => cancelled };
}

describe("an upload", () => {
  it("is kept once, under its hash, and told once", async () => {
    started = await startManager();
    const sha256 = sha256Of("content");
    expect(await started.upload("content")).toEqual({ sha256, size: 7, stored: true });
    expect(await started.upload("content")).toEqual({ sha256, size: 7, stored: false });
    expect(await started.download(sha256)).toBe("content");
    expect(await readFile(started.blobPath(sha256), "utf8")).toBe("content");
    expect(await started.blobPaths()).toEqual([join(sha256.slice(0, 2), sha256)]);
    expect(blobEvents()).toEqual([["stored", sha256]]);
  });

  it("of nothing at all is kept too", async () => {
    started = await startManager();
    const sha256 = sha256Of("");
    expect(await upload(sha256, null)).toEqual({ sha256, size: 0, stored: true });
    expect(await started.download(sha256)).toBe("");
  });

  it("that does not have its hash is refused, and nothing is kept", async () => {
    started = await startManager();
    const sha256 = sha256Of("content");
    await expect(upload(sha256, bodyOf("contents"))).rejects.toMatchObject({
      code: "INVALID_DATA",
      message: expect.stringContaining(sha256Of("contents")),
    });
    expect(await started.blobPaths()).toEqual([]);
    expect(started.told()).toEqual([]);
    await expect(started.download(sha256)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it.each([
    ["", "empty"],
    ["abc", "short"],
    ["A".repeat(64), "in capitals"],
    [`${"a".repeat(64)}\n`, "with a line's end"],
    ["../".repeat(21) + "a", "a path"],
    ["__proto__", "a name of JavaScript"],
  ])("to an address that is no hash is refused: %j (%s)", async (address) => {
    started = await startManager();
    await expect(upload(address, bodyOf("x"))).rejects.toMatchObject({ code: "INVALID_DATA" });
    await expect(started.manager.transfers.download(address)).rejects.toMatchObject({ code: "INVALID_DATA" });
    expect(await started.blobPaths()).toEqual([]);
  });

  it("that breaks off leaves no file", async () => {
    started = await startManager();
    const { body, send, fail } = heldBody();
    const outcome = upload(sha256Of("whole"), body);
    outcome.catch(() => {});
    send("who");
    await started.until(async () => (await started.blobPaths()).length === 1);
    fail();
    await expect(outcome).rejects.toThrow("gone");
    expect(await started.blobPaths()).toEqual([]);
    expect(started.manager.transfers.activeCount).toBe(0);
  });

  it("that stands still is given up, and leaves no file", async () => {
    started = await startManager(() => ({ transfer_idle_seconds: 5 }));
    const { body, send, isCancelled } = heldBody();
    const outcome = upload(sha256Of("whole"), body);
    outcome.catch(() => {});
    send("who");
    // Written, and the next piece is waited for.
    await started.until(async () => {
      const [path] = await started.blobPaths();
      if (path === undefined || started.clock.pending < 2) return false;
      return (await readFile(join(started.folder, "service.db.blobs", path), "utf8")) === "who";
    });
    await started.until(() => started.clock.pending === 2);
    started.clock.advance(5_000);
    await expect(outcome).rejects.toMatchObject({
      code: "NOT_AVAILABLE",
      message: expect.stringContaining("5 seconds"),
    });
    expect(isCancelled()).toBe(true);
    expect(await started.blobPaths()).toEqual([]);
  });

  it("may be as large as the setting says, and not a byte larger", async () => {
    started = await startManager(() => ({ blob_bytes: 10 }));
    expect(await started.upload("x".repeat(10))).toMatchObject({ size: 10 });
    const { body, send, isCancelled } = heldBody();
    send("x".repeat(11));
    await expect(upload(sha256Of("x".repeat(11)), body)).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE" });
    expect(isCancelled()).toBe(true);
    await expect(upload(sha256Of("y"), bodyOf("y"), 11)).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE" });
    expect(await started.blobPaths()).toHaveLength(1);
  });

  it("is refused where all blobs together would be larger than the setting", async () => {
    started = await startManager(() => ({ total_blob_bytes: 10 }));
    await started.upload("12345678");
    await expect(started.upload("abc")).rejects.toMatchObject({
      code: "NOT_AVAILABLE",
      message: expect.stringContaining("total_blob_bytes"),
    });
    expect(await started.upload("ab")).toMatchObject({ stored: true });
    await expect(started.request("store_adapter", adapter("1", { content: "x" }))).rejects.toMatchObject({
      code: "NOT_AVAILABLE",
    });
    expect(await started.blobPaths()).toHaveLength(2);
  });

  it("is refused where two at once would together be too large", async () => {
    started = await startManager(() => ({ total_blob_bytes: 10 }));
    const outcomes = await Promise.allSettled([started.upload("aaaaaaaa"), started.upload("bbbbbbbb")]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await started.blobPaths()).toHaveLength(1);
  });

  it("is refused where as many transfers as may be are under way", async () => {
    started = await startManager(() => ({ transfers: 1 }));
    const { body, fail } = heldBody();
    const first = upload(sha256Of("a"), body);
    first.catch(() => {});
    await expect(started.upload("b")).rejects.toMatchObject({
      code: "NOT_AVAILABLE",
      message: expect.stringContaining("setting transfers"),
    });
    fail();
    await expect(first).rejects.toThrow();
    expect(await started.upload("b")).toMatchObject({ stored: true });
  });

  it("of one content by many at once keeps one file and tells one event", async () => {
    started = await startManager();
    const stored = await Promise.all(Array.from({ length: 20 }, () => started.upload("same")));
    expect(stored.filter(({ stored }) => stored)).toHaveLength(1);
    expect(await started.blobPaths()).toHaveLength(1);
    expect(blobEvents()).toEqual([["stored", sha256Of("same")]]);
  });
});

describe("a commit that fails", () => {
  it("leaves neither the file nor the row of an upload", async () => {
    started = await startManager();
    started.database.exec(
      "CREATE TRIGGER broken BEFORE INSERT ON blobs BEGIN SELECT raise(ABORT, 'the disk is full'); END",
    );
    await expect(started.upload("content")).rejects.toThrow("the disk is full");
    await expect(started.request("store_adapter", adapter("1"))).rejects.toMatchObject({
      code: "SERVER_ERROR",
    });
    expect(await started.blobPaths()).toEqual([]);
    expect(started.told()).toEqual([]);
    started.database.exec("DROP TRIGGER broken");
    expect(await started.upload("content")).toMatchObject({ stored: true });
  });

  it("leaves a content that was there before", async () => {
    started = await startManager();
    const { sha256 } = await started.upload("content");
    started.database.exec(
      "CREATE TRIGGER broken BEFORE INSERT ON versions BEGIN SELECT raise(ABORT, 'the disk is full'); END",
    );
    await expect(started.request("store_adapter", adapter("1", { content: "content" }))).rejects
      .toMatchObject({
        code: "SERVER_ERROR",
      });
    expect(await started.download(sha256)).toBe("content");
  });
});

describe("a blob that was changed on disk", () => {
  const damages: [string, (path: string) => Promise<void>][] = [
    ["has other bytes", (path) => writeFile(path, "CONTENT")],
    ["has lost its end", (path) => truncate(path, 3)],
    ["has grown", (path) => writeFile(path, "content and more")],
    ["is gone", (path) => rm(path)],
    ["is a folder now", async (path) => {
      await rm(path);
      await mkdir(path);
    }],
  ];

  it.each(damages)("is not given out where it %s, and is told as corrupt, once", async (_, damage) => {
    started = await startManager();
    const { sha256 } = await started.request("store_adapter", adapter("1", { content: "content" }));
    await damage(started.blobPath(sha256));
    started.told();
    for (let n = 0; n < 2; n++) {
      await expect(started.download(sha256)).rejects.toMatchObject({
        code: "NOT_AVAILABLE",
        message: expect.stringContaining("corrupt"),
      });
    }
    expect(started.told()).toEqual([{
      event: "storage.event",
      channels: ["storage:blob"],
      data: {
        storage_type: "blob",
        operation: "corrupt",
        sha256,
        size: 7,
        adapter_id: null,
        version: null,
      },
    }]);
    expect(await started.request("get_adapter_status", { adapter_id: ADAPTER_ID })).toMatchObject({
      status: "unhealthy",
      error: expect.stringContaining("corrupt"),
    });
    expect(started.manager.snapshot("storage", "blob")).toMatchObject({ corrupt: 1 });
    expect(started.manager.transfers.activeCount).toBe(0);
  });

  it("is found by validate_adapter, and keeps its version from being distributed", async () => {
    started = await startManager();
    const { sha256 } = await started.request("store_adapter", adapter("1", { content: "content" }));
    await writeFile(started.blobPath(sha256), "CONTENT");
    expect(await started.request("validate_adapter", { adapter_id: ADAPTER_ID })).toMatchObject({
      valid: false,
      errors: [expect.stringContaining("corrupt")],
    });
    await expect(
      started.request("distribute_adapter", { adapter_id: ADAPTER_ID, targets: ["client:a"] }),
    ).rejects.toMatchObject({ code: "NOT_AVAILABLE" });
    await expect(started.request("store_adapter", adapter("2", { sha256 }))).rejects.toMatchObject({
      code: "NOT_AVAILABLE",
    });
  });

  it("is mended by another upload, which is told as stored", async () => {
    started = await startManager();
    const { sha256 } = await started.request("store_adapter", adapter("1", { content: "content" }));
    await writeFile(started.blobPath(sha256), "CONTENT");
    await expect(started.download(sha256)).rejects.toMatchObject({ code: "NOT_AVAILABLE" });
    started.told();
    expect(await started.upload("content")).toMatchObject({ stored: true });
    expect(await started.download(sha256)).toBe("content");
    expect(blobEvents()).toEqual([["stored", sha256]]);
    expect(await started.request("get_adapter_status", { adapter_id: ADAPTER_ID })).toMatchObject({
      status: "unknown",
      error: null,
    });
  });

  it("is sound again where its file was put back by hand", async () => {
    started = await startManager();
    const { sha256 } = await started.upload("content");
    await writeFile(started.blobPath(sha256), "CONTENT");
    await expect(started.download(sha256)).rejects.toMatchObject({ code: "NOT_AVAILABLE" });
    await writeFile(started.blobPath(sha256), "content");
    expect(await started.download(sha256)).toBe("content");
    expect(started.manager.snapshot("storage", "blob")).toMatchObject({ corrupt: 0 });
  });

  it("while it is read is broken off before its end, and told", async () => {
    started = await startManager();
    const content = "x".repeat(1_000_000);
    const { sha256 } = await started.upload(content);
    const { body } = await started.manager.transfers.download(sha256);
    const reader = body.getReader();
    let length = (await reader.read()).value!.byteLength;
    // The same file, as the reader has it open.
    await writeFile(started.blobPath(sha256), `${"x".repeat(999_999)}y`);
    await expect((async () => {
      for (let part = await reader.read(); part.value; part = await reader.read()) {
        length += part.value.byteLength;
      }
    })()).rejects.toMatchObject({ code: "NOT_AVAILABLE" });
    expect(length).toBeLessThan(content.length);
    expect(started.told().map(({ data }) => data.operation)).toContain("corrupt");
    expect(started.manager.transfers.activeCount).toBe(0);
  });
});

describe("a download", () => {
  it("that nobody reads is given up, and frees its place", async () => {
    started = await startManager(() => ({ transfers: 1, transfer_idle_seconds: 5 }));
    const { sha256 } = await started.upload("content");
    const { body } = await started.manager.transfers.download(sha256);
    await expect(started.upload("other")).rejects.toMatchObject({ code: "NOT_AVAILABLE" });
    started.clock.advance(5_000);
    await expect(new Response(body).text()).rejects.toThrow("5 seconds");
    expect(await started.upload("other")).toMatchObject({ stored: true });
  });

  it("whose reader leaves frees its place", async () => {
    started = await startManager(() => ({ transfers: 1 }));
    const { sha256 } = await started.upload("x".repeat(500_000));
    const { body } = await started.manager.transfers.download(sha256);
    const reader = body.getReader();
    await reader.read();
    await reader.cancel();
    expect(started.manager.transfers.activeCount).toBe(0);
    const unread = await started.manager.transfers.download(sha256);
    await unread.body.cancel();
    expect(started.manager.transfers.activeCount).toBe(0);
    expect(started.clock.pending).toBe(1);
  });
});

describe("a blob that nobody needs", () => {
  it("is kept for the time that the setting says, from its last upload on, and then collected", async () => {
    started = await startManager(() => ({ orphan_seconds: 120 }));
    const { sha256 } = await started.upload("orphan");
    started.clock.advance(100_000);
    await started.upload("orphan");
    started.told();
    started.clock.advance(100_000);
    expect(await started.download(sha256)).toBe("orphan");
    started.clock.advance(60_000);
    await started.heard("storage.event", ({ operation }) => operation === "collected");
    expect(blobEvents()).toEqual([["collected", sha256]]);
    await started.until(async () => (await started.blobPaths()).length === 0);
    await expect(started.download(sha256)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("is collected though it is corrupt or its file is gone", async () => {
    started = await startManager(() => ({ orphan_seconds: 120 }));
    const { sha256 } = await started.upload("orphan");
    await rm(started.blobPath(sha256));
    await expect(started.download(sha256)).rejects.toMatchObject({ code: "NOT_AVAILABLE" });
    started.clock.advance(180_000);
    await started.heard("storage.event", ({ operation }) => operation === "collected");
    expect(started.manager.snapshot("storage", "blob")).toMatchObject({ blobs: 0, corrupt: 0 });
  });

  it("is collected in any number", async () => {
    started = await startManager(() => ({ orphan_seconds: 120 }));
    for (let n = 0; n < 250; n++) await started.upload(`orphan ${n}`);
    started.told();
    started.clock.advance(180_000);
    await started.until(async () => (await started.blobPaths()).length === 0);
    expect(blobEvents()).toHaveLength(250);
  });
});

describe("a start", () => {
  it("removes what a process that was killed has left, and nothing else", async () => {
    started = await startManager();
    const { sha256 } = await started.upload("content");
    const lost = sha256Of("lost");
    const root = dirname(dirname(started.blobPath(sha256)));
    await mkdir(dirname(started.blobPath(lost)), { recursive: true });
    await writeFile(started.blobPath(lost), "lost");
    await writeFile(join(root, "incoming", "half"), "ha");
    await writeFile(join(root, "notes.txt"), "not ours");
    await started.restart();
    expect(await started.blobPaths()).toEqual([join(sha256.slice(0, 2), sha256), "notes.txt"].sort());
    expect(await started.download(sha256)).toBe("content");
  });

  it("puts blobs into the folder of the setting", async () => {
    started = await startManager((folder) => ({ blob_folder: join(folder, "elsewhere") }));
    const { sha256 } = await started.upload("content");
    const path = join(started.folder, "elsewhere", sha256.slice(0, 2), sha256);
    expect(await readFile(path, "utf8")).toBe("content");
  });

  it("fails with a sentence where the folder cannot be made", async () => {
    let made = "";
    const outcome = startManager((folder) => {
      made = folder;
      return { blob_folder: join(folder, "service.db", "blobs") };
    });
    await expect(outcome).rejects.toThrow(/Cannot make the folder .*service\.db/);
    await rm(made, { recursive: true });
  });
});
