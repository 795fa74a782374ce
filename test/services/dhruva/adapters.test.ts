import { afterEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { adapter, ADAPTER_ID, sha256Of, type Started, startManager } from "./started-manager.ts";

let started: Started;
afterEach(() => started?.stop());

const store = (version: string, more: JsonObject = {}) =>
  started.request("store_adapter", adapter(version, more));
const get = async (version?: string) =>
  (await started.request("get_adapter", { adapter_id: ADAPTER_ID, version })).adapter;
const events = (name: string) => started.told().filter(({ event }) => event === name);

describe("store_adapter", () => {
  it("stores a new adapter with all that is said of it, and tells adapter.stored", async () => {
    started = await startManager();
    const content = "print('an adapter')\n";
    const more = {
      schema_version: 1,
      factory_path: "package.module:Redis",
      config: { host: "localhost", ["__proto__"]: { port: 1 }, constructor: 2 },
      dependencies: ["storage:net:tcp"],
      capabilities: ["get", "set"],
      metadata: { category: "caches" },
      changelog: "The first",
      content,
    };
    const sha256 = sha256Of(content);
    expect(await store("1.0.0", more)).toEqual({
      success: true,
      adapter_id: ADAPTER_ID,
      version: "1.0.0",
      sha256,
      size: content.length,
      message: expect.stringContaining("1.0.0"),
    });
    const { content: _, ...said } = more;
    expect(await get()).toEqual({
      ...said,
      ...adapter("1.0.0"),
      adapter_id: ADAPTER_ID,
      sha256,
      size: content.length,
      current: true,
      health_status: "unknown",
      health_error: null,
      last_health_check: null,
      created_at: "2026-01-01T00:00:00.000Z",
      updated_at: "2026-01-01T00:00:00.000Z",
    });
    expect(await started.download(sha256)).toBe(content);
    const facts = { sha256, size: content.length };
    expect(started.told()).toEqual([
      {
        event: "storage.event",
        channels: ["storage:blob"],
        data: { storage_type: "blob", operation: "stored", ...facts, adapter_id: null, version: null },
      },
      {
        event: "adapter.stored",
        channels: [`adapter:${ADAPTER_ID}`, "global"],
        data: { adapter_id: ADAPTER_ID, version: "1.0.0", ...facts, changelog: "The first" },
      },
      {
        event: "storage.event",
        channels: ["storage:database"],
        data: {
          storage_type: "database",
          operation: "stored",
          ...facts,
          adapter_id: ADAPTER_ID,
          version: "1.0.0",
        },
      },
    ]);
  });

  it("takes the record itself as the content where none is given", async () => {
    started = await startManager();
    const { sha256, size } = await store("1", { config: { a: 1 } });
    const text = await started.download(sha256);
    expect(text).toHaveLength(size);
    expect(JSON.parse(text)).toMatchObject({ adapter_id: ADAPTER_ID, version: "1", config: { a: 1 } });
  });

  it("takes an uploaded blob by its hash, and refuses one that was not uploaded", async () => {
    started = await startManager();
    const { sha256, size } = await started.upload("uploaded");
    expect(await store("1", { sha256 })).toMatchObject({ sha256, size });
    await expect(store("2", { sha256: sha256Of("nowhere") })).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(store("2", { sha256, content: "both" })).rejects.toMatchObject({
      code: "INVALID_DATA",
      message: expect.stringContaining("at most one"),
    });
    expect((await get()).version).toBe("1");
  });

  it("stores a new version as adapter.updated, with nothing of the one before", async () => {
    started = await startManager();
    await store("1", { config: { a: 1 }, factory_path: "a.b:C", content: "one" });
    started.told();
    started.clock.advance(1_000);
    await store("0.9-beta", { config: { b: 2 }, changelog: "An odd version" });
    expect(await get()).toMatchObject({
      version: "0.9-beta",
      config: { b: 2 },
      factory_path: null,
      current: true,
      created_at: "2026-01-01T00:00:00.000Z",
      updated_at: "2026-01-01T00:00:01.000Z",
    });
    expect(await get("1")).toMatchObject({ version: "1", config: { a: 1 }, current: false });
    expect(events("adapter.updated")).toMatchObject([
      {
        channels: [`adapter:${ADAPTER_ID}`, "global"],
        data: { version: "0.9-beta", changelog: "An odd version" },
      },
    ]);
  });

  it("answers the same version again as it stands, and tells nothing", async () => {
    started = await startManager();
    const first = await store("1", { content: "same", changelog: "c" });
    started.told();
    expect(await store("1", { content: "same", changelog: "c" })).toMatchObject({
      ...first,
      message: expect.any(String),
    });
    // As after an answer that was lost: the version that was expected is no longer the current one.
    expect(await store("1", { content: "same", changelog: "c", expected_version: "" })).toMatchObject({
      sha256: first.sha256,
    });
    expect(started.told()).toEqual([]);
  });

  it.each<[string, JsonObject]>([
    ["another content", { content: "other" }],
    ["another configuration", { config: { a: 2 } }],
    ["another changelog", { changelog: "other" }],
  ])("never changes a version: %s is a CONFLICT", async (_, more) => {
    started = await startManager();
    const usual = { content: "same", config: { a: 1 }, changelog: "c" };
    await store("1", usual);
    started.told();
    await expect(store("1", { ...usual, ...more })).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("something else"),
    });
    expect(await get()).toMatchObject({ config: { a: 1 }, changelog: "c", sha256: sha256Of("same") });
    expect(started.told()).toEqual([]);
    expect(await started.blobPaths()).toHaveLength(1);
  });

  it("refuses a version that is kept but not the current one, though it is the same", async () => {
    started = await startManager();
    await store("1");
    await store("2");
    await expect(store("1")).rejects.toMatchObject({ code: "CONFLICT" });
  });

  it("stores on the expected version only, and leaves no file of what is refused", async () => {
    started = await startManager();
    await expect(store("1", { expected_version: "0" })).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("no such adapter"),
    });
    await store("1", { expected_version: "" });
    await expect(store("2", { expected_version: "" })).rejects.toMatchObject({ code: "CONFLICT" });
    await expect(store("2", { expected_version: "0", content: "refused" })).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("found version '1'"),
    });
    expect(await store("2", { expected_version: "1" })).toMatchObject({ version: "2" });
    expect(await started.blobPaths()).toHaveLength(2);
  });

  it("of many writers at once on the same version lets exactly one through", async () => {
    started = await startManager();
    await store("1");
    const writers = Array.from(
      { length: 20 },
      (_, n) => store(`2.${n}`, { expected_version: "1", content: `content ${n}` }),
    );
    const outcomes = await Promise.allSettled(writers);
    const stored = outcomes.flatMap((outcome) => outcome.status === "fulfilled" ? [outcome.value] : []);
    const codes = outcomes.flatMap((outcome) => outcome.status === "rejected" ? [outcome.reason.code] : []);
    expect(stored).toHaveLength(1);
    expect(codes).toEqual(Array(19).fill("CONFLICT"));
    expect((await get()).version).toBe(stored[0]!.version);
    // What the others brought is not kept.
    expect(await started.blobPaths()).toHaveLength(2);
    expect(started.manager.getStatus({})).toMatchObject({ adapters: 1, versions: 2, blobs: 2 });
  });

  it.each<[string, JsonObject]>([
    ["a domain with a slash", { domain: "../../etc" }],
    ["a domain of dots", { domain: ".." }],
    ["a key with a colon", { key: "a:b" }],
    ["an empty provider", { provider: "" }],
    ["a provider of 65 characters", { provider: "p".repeat(65) }],
    ["a version with a blank", { version: "1 0" }],
    ["a version that climbs", { version: "../1" }],
    ["a version with a null byte", { version: "1\0" }],
    ["a hash that is none", { sha256: "../../etc/passwd" }],
    ["a hash in capitals", { sha256: "A".repeat(64) }],
    ["another schema", { schema_version: 2 }],
    ["configuration that is no object", { config: [1] }],
    ["a number that JSON cannot hold", { config: { a: Number.POSITIVE_INFINITY } }],
    ["half a character", { content: "\ud800" }],
    ["too much of a record", { config: { a: "x".repeat(262_144) } }],
    ["too many dependencies", { dependencies: Array(101).fill("a") }],
  ])("refuses %s with INVALID_DATA", async (_, more) => {
    started = await startManager();
    await expect(store("1", more)).rejects.toMatchObject({ code: "INVALID_DATA" });
    expect(started.told()).toEqual([]);
    expect(await started.blobPaths()).toEqual([]);
  });

  it("refuses one adapter more than the setting allows, and takes new versions all the same", async () => {
    started = await startManager(() => ({ adapters: 1 }));
    await store("1");
    await expect(started.request("store_adapter", { ...adapter("1"), key: "other" })).rejects.toMatchObject({
      code: "NOT_AVAILABLE",
      message: expect.stringContaining("setting adapters"),
    });
    expect(await store("2")).toMatchObject({ version: "2" });
  });

  it("survives a crash with everything", async () => {
    started = await startManager();
    const { sha256 } = await store("1", { content: "kept", config: { a: 1 } });
    await started.restart();
    expect(await get()).toMatchObject({ version: "1", config: { a: 1 }, sha256 });
    expect(await started.download(sha256)).toBe("kept");
  });
});

describe("versions", () => {
  it("are kept as many as the setting says; older ones go, are told, and their contents are collected", async () => {
    started = await startManager(() => ({ keep_versions: 3, orphan_seconds: 0 }));
    for (const version of ["1", "2", "3"]) await store(version, { content: `content ${version}` });
    started.told();
    await store("4", { content: "content 4" });
    const collected = await started.heard("storage.event", ({ operation }) => operation === "collected");
    expect(collected).toEqual({
      event: "storage.event",
      channels: ["storage:blob"],
      data: {
        storage_type: "blob",
        operation: "collected",
        sha256: sha256Of("content 1"),
        size: 9,
        adapter_id: null,
        version: null,
      },
    });
    expect(events("storage.event")).toContainEqual({
      event: "storage.event",
      channels: ["storage:database"],
      data: {
        storage_type: "database",
        operation: "deleted",
        sha256: sha256Of("content 1"),
        size: 9,
        adapter_id: ADAPTER_ID,
        version: "1",
      },
    });
    const { versions } = await started.request("get_adapter_versions", { adapter_id: ADAPTER_ID });
    expect(versions.map(({ version, current }) => [version, current])).toEqual([
      ["4", true],
      ["3", false],
      ["2", false],
    ]);
    await expect(get("1")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await started.until(async () => (await started.blobPaths()).length === 3);
  });

  it("ten are kept where nobody says otherwise", async () => {
    started = await startManager();
    for (let n = 1; n <= 12; n++) await store(`${n}`);
    const { versions, count } = await started.request("get_adapter_versions", { adapter_id: ADAPTER_ID });
    expect(count).toBe(10);
    expect(versions.map(({ version }) => version)).toEqual(
      ["12", "11", "10", "9", "8", "7", "6", "5", "4", "3"],
    );
  });

  it("a content that another version still needs is not collected", async () => {
    started = await startManager(() => ({ keep_versions: 1, orphan_seconds: 0 }));
    await store("1", { content: "shared" });
    await store("2", { content: "shared" });
    await store("3", { content: "other" });
    await started.heard("storage.event", ({ operation }) => operation === "collected");
    await started.until(async () => (await started.blobPaths()).length === 1);
    expect(await started.download(sha256Of("other"))).toBe("other");
  });

  it("are listed in pages", async () => {
    started = await startManager();
    for (let n = 1; n <= 5; n++) await store(`${n}`, { changelog: `change ${n}` });
    const seen: string[] = [];
    const page = async (cursor: string | null): Promise<string | null> => {
      const input = { adapter_id: ADAPTER_ID, limit: 2, cursor };
      const { versions, next_cursor } = await started.request("get_adapter_versions", input);
      seen.push(...versions.map(({ changelog }) => changelog));
      return next_cursor;
    };
    for (let cursor = await page(null); cursor !== null; cursor = await page(cursor));
    expect(seen).toEqual(["change 5", "change 4", "change 3", "change 2", "change 1"]);
  });
});
