import { mkdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { dhruvaRoutes } from "../../../services/dhruva/routes.ts";
import { ANONYMOUS } from "../../../src/ports/call.ts";
import { bodyOf, sha256Of, type Started, startManager } from "./started-manager.ts";

let started: Started;
afterEach(() => started.stop());

const upload = (content: string, more: { length?: number; caller?: string } = {}) =>
  started.manager.transfers.upload({
    sha256: sha256Of(content),
    body: bodyOf(content),
    length: null,
    ...more,
  });

/** An upload that goes on until it is broken off. */
function heldUpload(more: { length?: number; caller?: string } = {}) {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) });
  const outcome = started.manager.transfers.upload({ sha256: sha256Of("held"), body, length: null, ...more });
  outcome.catch(() => {});
  return {
    outcome,
    send: (text: string) => controller.enqueue(new TextEncoder().encode(text)),
    async breakOff() {
      controller.error(new Error("gone"));
      await outcome.catch(() => {});
    },
  };
}

/** Bytes of all files of blobs, whether or not they have come to their end. */
async function bytesOnDisk(): Promise<number> {
  let bytes = 0;
  for (const path of await started.blobPaths()) {
    bytes += (await stat(join(started.folder, "service.db.blobs", path)).catch(() => ({ size: 0 }))).size;
  }
  return bytes;
}

describe("places of transfers", () => {
  it("are never all one caller's: others find one, uploads and downloads counted together", async () => {
    started = await startManager(() => ({ transfers: 6 }));
    const { sha256 } = await upload("content");
    const held = [1, 2, 3].map(() => heldUpload({ caller: "eve" }));
    const { body } = await started.manager.transfers.download(sha256, { caller: "eve" });
    const refusal = { code: "NOT_AVAILABLE", message: expect.stringContaining("setting transfers") };
    await expect(upload("more", { caller: "eve" })).rejects.toMatchObject(refusal);
    await expect(started.manager.transfers.download(sha256, { caller: "eve" })).rejects.toMatchObject(
      refusal,
    );
    expect(await upload("more", { caller: "ada" })).toMatchObject({ stored: true });
    const given = await started.manager.transfers.download(sha256, { caller: "ada" });
    expect(await new Response(given.body).text()).toBe("content");
    await body.cancel();
    for (const { breakOff } of held) await breakOff();
    expect(started.manager.transfers.activeCount).toBe(0);
  });
});

describe("room for all blobs", () => {
  it("is taken by what an upload announces before any of it has come, until it ends", async () => {
    started = await startManager(() => ({ total_blob_bytes: 10 }));
    const first = heldUpload({ length: 8 });
    const full = { code: "NOT_AVAILABLE", message: expect.stringContaining("total_blob_bytes") };
    await expect(upload("abc", { length: 3 })).rejects.toMatchObject(full);
    await expect(upload("abc")).rejects.toMatchObject(full);
    expect(await upload("ab", { length: 2 })).toMatchObject({ stored: true });
    await first.breakOff();
    expect(await upload("abc", { length: 3 })).toMatchObject({ stored: true });
    expect(await upload("abcde")).toMatchObject({ stored: true });
    await expect(upload("f")).rejects.toMatchObject(full);
  });

  it("is taken by what has come of uploads that announce nothing: never is more than that on disk", async () => {
    started = await startManager(() => ({ total_blob_bytes: 1_000 }));
    const uploads = Array.from({ length: 20 }, () => heldUpload());
    for (const { send } of uploads) send("x".repeat(400));
    let refused = 0;
    for (const { outcome } of uploads) outcome.catch(() => refused++);
    await started.until(() => refused === 18);
    expect(await bytesOnDisk()).toBeLessThanOrEqual(1_000);
    for (const { breakOff } of uploads) await breakOff();
    expect(await started.blobPaths()).toEqual([]);
    expect(await upload("y".repeat(1_000))).toMatchObject({ stored: true });
  });

  it("comes back after uploads that were refused for their hash or their size", async () => {
    started = await startManager(() => ({ total_blob_bytes: 10, blob_bytes: 8 }));
    for (let n = 0; n < 3; n++) {
      const wrong = { sha256: sha256Of("other"), body: bodyOf("12345678"), length: 8 };
      await expect(started.manager.transfers.upload(wrong)).rejects.toMatchObject({ code: "INVALID_DATA" });
      await expect(upload("123456789")).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE" });
    }
    for (const content of ["12345678", "90"]) expect(await upload(content)).toMatchObject({ stored: true });
  });

  it("comes back after a commit that fails", async () => {
    started = await startManager(() => ({ total_blob_bytes: 10 }));
    started.database.exec(
      "CREATE TRIGGER broken BEFORE INSERT ON blobs BEGIN SELECT raise(ABORT, 'full'); END",
    );
    await expect(upload("12345678")).rejects.toThrow("full");
    started.database.exec("DROP TRIGGER broken");
    expect(await upload("12345678")).toMatchObject({ stored: true });
  });
});

describe("a look at a blob", () => {
  it("says what a download would give, without a place and without reading the file", async () => {
    started = await startManager(() => ({ transfers: 1 }));
    const { sha256 } = await upload("content");
    const held = heldUpload();
    await writeFile(started.blobPath(sha256), "CONTENT");
    expect(await started.manager.transfers.look(sha256)).toEqual({ sha256, size: 7 });
    await held.breakOff();
  });

  it.each<[string, (path: string) => Promise<void>]>([
    ["has lost its end", (path) => truncate(path, 3)],
    ["is gone", (path) => rm(path)],
    ["is a folder now", async (path) => {
      await rm(path);
      await mkdir(path);
    }],
  ])("finds it corrupt where its file %s", async (_, damage) => {
    started = await startManager();
    const { sha256 } = await upload("content");
    await damage(started.blobPath(sha256));
    started.told();
    for (const _ of [1, 2]) {
      await expect(started.manager.transfers.look(sha256)).rejects.toMatchObject({
        code: "NOT_AVAILABLE",
        message: expect.stringContaining("corrupt"),
      });
    }
    expect(started.told().map(({ data }) => data.operation)).toEqual(["corrupt"]);
  });

  it("knows neither what is not there nor what is no hash", async () => {
    started = await startManager();
    await expect(started.manager.transfers.look(sha256Of("x"))).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(started.manager.transfers.look("x")).rejects.toMatchObject({ code: "INVALID_DATA" });
  });
});

describe("a download", () => {
  it("of a large file that was changed begins without reading it first, and is broken off before its end", async () => {
    started = await startManager();
    const content = "x".repeat(1_000_000);
    const { sha256 } = await upload(content);
    await writeFile(started.blobPath(sha256), `${content.slice(1)}y`);
    const { body } = await started.manager.transfers.download(sha256);
    let length = 0;
    await expect((async () => {
      for await (const part of body) length += part.byteLength;
    })()).rejects.toMatchObject({ code: "NOT_AVAILABLE" });
    expect(length).toBeGreaterThan(0);
    expect(length).toBeLessThan(content.length);
    expect(started.manager.snapshot("storage", "blob")).toMatchObject({ corrupt: 1 });
    expect(started.manager.transfers.activeCount).toBe(0);
  });

  it("of a corrupt blob is given up, with its place, when its caller has left", async () => {
    started = await startManager();
    const { sha256 } = await upload("x".repeat(1_000_000));
    await writeFile(started.blobPath(sha256), "y".repeat(1_000_000));
    await new Response((await started.manager.transfers.download(sha256)).body).text().catch(() => {});
    expect(started.manager.snapshot("storage", "blob")).toMatchObject({ corrupt: 1 });
    // Read to its end, it would be sound again.
    await writeFile(started.blobPath(sha256), "x".repeat(1_000_000));
    const leaving = new AbortController();
    const { handle } = dhruvaRoutes.find(({ method }) => method === "GET")!;
    const outcome = handle(started.manager, {
      method: "GET",
      parameters: { sha256 },
      header: () => undefined,
      body: null,
      identity: ANONYMOUS,
      caller: "eve",
      signal: leaving.signal,
    });
    leaving.abort();
    await expect(outcome).rejects.toMatchObject({ message: "Nobody waits for the blob any more" });
    expect(started.manager.transfers.activeCount).toBe(0);
    expect(started.manager.snapshot("storage", "blob")).toMatchObject({ corrupt: 1 });
  });
});
