import { afterEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { adapter, ADAPTER_ID, type Started, startManager } from "./started-manager.ts";

let started: Started;
afterEach(() => started?.stop());

const store = (version: string, more: JsonObject = {}) =>
  started.request("store_adapter", adapter(version, more));

describe("list_adapters", () => {
  const put = (domain: string, key: string, more: JsonObject = {}) =>
    started.request("store_adapter", { domain, key, provider: "p", version: "1", ...more });
  const ids = async (filters: JsonObject) =>
    (await started.request("list_adapters", { filters })).adapters.map(({ adapter_id }) => adapter_id);

  it("filters by domain, key, provider, category, capability and health", async () => {
    started = await startManager();
    await put("a", "x", { metadata: { category: "one" }, capabilities: ["read"] });
    await put("a", "y", { metadata: { category: "two" }, capabilities: ["read", "write"] });
    await put("b", "x", { capabilities: ["%"], provider: "q" });
    expect(await ids({})).toEqual(["b:x:q", "a:y:p", "a:x:p"]);
    expect(await ids({ domain: "a" })).toEqual(["a:y:p", "a:x:p"]);
    expect(await ids({ key: "x" })).toEqual(["b:x:q", "a:x:p"]);
    expect(await ids({ provider: "q" })).toEqual(["b:x:q"]);
    expect(await ids({ category: "two" })).toEqual(["a:y:p"]);
    expect(await ids({ capability: "read" })).toEqual(["a:y:p", "a:x:p"]);
    expect(await ids({ capability: "write", domain: "a" })).toEqual(["a:y:p"]);
    expect(await ids({ capability: "rea" })).toEqual([]);
    await started.request("validate_adapter", { adapter_id: "a:x:p" });
    expect(await ids({ health_status: "healthy" })).toEqual(["a:x:p"]);
    expect(await ids({ domain: "' OR 1=1 --" }).catch(({ code }) => code)).toBe("INVALID_DATA");
    await expect(ids({ colour: "red" })).rejects.toMatchObject({ code: "INVALID_DATA" });
  });

  it("answers pages that miss and repeat nothing while adapters are added", async () => {
    started = await startManager();
    for (let n = 0; n < 7; n++) await put("a", `k${n}`);
    const first = await started.request("list_adapters", { limit: 3 });
    await put("a", "later");
    const second = await started.request("list_adapters", { limit: 3, cursor: first.next_cursor });
    const third = await started.request("list_adapters", { limit: 3, cursor: second.next_cursor });
    const keys = [first, second, third].flatMap(({ adapters }) => adapters.map(({ key }) => key));
    expect(keys).toEqual(["k6", "k5", "k4", "k3", "k2", "k1", "k0"]);
    expect(third.next_cursor).toBeNull();
    await expect(started.request("list_adapters", { cursor: "nonsense" })).rejects.toMatchObject({
      code: "INVALID_DATA",
    });
  });

  it("fits into a frame with as many adapters, as large as they may be", async () => {
    started = await startManager();
    const large = {
      factory_path: "f".repeat(500),
      config: { a: "x".repeat(50_000) },
      capabilities: Array.from({ length: 100 }, (_, n) => `${n}`.padEnd(100, "c")),
      metadata: { category: "\u{1f600}".repeat(100) },
    };
    for (let n = 0; n < 200; n++) {
      await put("d".repeat(64), `${n}`.padStart(64, "k"), { provider: "p".repeat(64), ...large });
    }
    const page = await started.request("list_adapters", { limit: 200 });
    expect(page.adapters).toHaveLength(200);
    expect(new TextEncoder().encode(JSON.stringify(page)).byteLength).toBeLessThan(1_000_000);
  });
});

describe("get_adapter_status and validate_adapter", () => {
  it("answer unknown adapters as not_found and NOT_FOUND", async () => {
    started = await startManager();
    expect(await started.request("get_adapter_status", { adapter_id: ADAPTER_ID })).toMatchObject({
      adapter_id: ADAPTER_ID,
      status: "not_found",
    });
    for (const request of ["get_adapter", "get_adapter_versions", "validate_adapter"] as const) {
      await expect(started.request(request, { adapter_id: ADAPTER_ID })).rejects.toMatchObject({
        code: "NOT_FOUND",
      });
    }
  });

  it("find nothing wrong with a sound adapter, until the next version is stored", async () => {
    started = await startManager();
    await store("1", { factory_path: "package.module:Class" });
    const status = () => started.request("get_adapter_status", { adapter_id: ADAPTER_ID });
    expect(await status()).toMatchObject({ status: "unknown", healthy: null, last_check: null, versions: 1 });
    expect(await started.request("validate_adapter", { adapter_id: ADAPTER_ID })).toEqual({
      adapter_id: ADAPTER_ID,
      version: "1",
      valid: true,
      errors: [],
      warnings: [],
    });
    expect(await status()).toMatchObject({
      status: "healthy",
      healthy: true,
      last_check: "2026-01-01T00:00:00.000Z",
      error: null,
    });
    await store("2");
    expect(await status()).toMatchObject({ status: "unknown", version: "2", versions: 2 });
    // What is found of an old version says nothing of the current one.
    await started.request("validate_adapter", { adapter_id: ADAPTER_ID, version: "1" });
    expect(await status()).toMatchObject({ status: "unknown" });
  });

  it("name what is wrong: a factory path that is none, dependencies that are not there", async () => {
    started = await startManager();
    await store("1", {
      factory_path: "not a path",
      dependencies: ["storage:net:tcp", ADAPTER_ID, "redis>=5"],
      capabilities: ["a", "a"],
    });
    const found = await started.request("validate_adapter", { adapter_id: ADAPTER_ID });
    expect(found.valid).toBe(false);
    expect(found.errors).toEqual([expect.stringContaining('"not a path"')]);
    expect(found.warnings).toEqual([
      expect.stringContaining("'storage:net:tcp'"),
      "It depends on itself",
      "It names a capability twice",
    ]);
    expect(await started.request("get_adapter_status", { adapter_id: ADAPTER_ID })).toMatchObject({
      status: "unhealthy",
      healthy: false,
      error: expect.stringContaining("not a path"),
    });
  });
});

describe("snapshots and get_status", () => {
  it("show the state behind each channel, and nothing where there is none", async () => {
    started = await startManager();
    const { sha256 } = await store("1", { content: "abc" });
    const { manager } = started;
    expect(manager.snapshot("adapter", ADAPTER_ID)).toMatchObject({
      adapter_id: ADAPTER_ID,
      version: "1",
      sha256,
    });
    expect(manager.snapshot("adapter", "no:such:one")).toBeNull();
    expect(manager.snapshot("storage", "blob")).toEqual({
      storage_type: "blob",
      blobs: 1,
      bytes: 3,
      corrupt: 0,
    });
    expect(manager.snapshot("storage", "database")).toMatchObject({ adapters: 1, versions: 1 });
    expect(manager.snapshot("storage", "tape")).toBeNull();
    expect(manager.snapshot("distribution", null)).toEqual({ open: 0, distributions: [] });
    expect(manager.snapshot("global", null)).toBeNull();
    expect(manager.getStatus({})).toMatchObject({
      adapters: 1,
      blobs: 1,
      blob_bytes: 3,
      distributions_open: 0,
    });
    expect(manager.getStatus({ adapter_id: ADAPTER_ID })).toMatchObject({ status: "unknown", version: "1" });
    expect(manager.getStatus({ distribution_id: "none" })).toMatchObject({ status: "not_found" });
  });
});
