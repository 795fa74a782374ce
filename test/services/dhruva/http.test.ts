import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DhruvaWebSocketServer } from "../../../services/dhruva/mod.ts";
import { createToken } from "../../../src/auth/token.ts";
import { systemClock } from "../../../src/ports/clock.ts";
import { silentLog } from "../../../src/ports/log.ts";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { detectRuntime } from "../../../src/runtimes/detect.ts";
import { type RunningService, startService } from "../../suite/running-service.ts";
import { FrameClient } from "../../support/frame-client.ts";
import { get, send } from "../../support/http-client.ts";
import { adapter, ADAPTER_ID, sha256Of } from "./started-manager.ts";

const running: RunningService[] = [];
afterEach(async () => {
  for (const service of running.splice(0)) await service.stop();
});

interface Dhruva extends RunningService {
  /** Files in the folder of blobs. */
  blobs(): Promise<string[]>;
  /** Address of a blob. */
  at(sha256: string): string;
  folder(): string;
}

async function start(
  own: JsonObject = {},
  settings: Parameters<typeof startService>[1] = {},
): Promise<Dhruva> {
  let folder = "";
  const service = await startService({
    name: "dhruva",
    Server: DhruvaWebSocketServer,
    own: (made) => {
      folder = made;
      return own;
    },
  }, settings);
  running.push(service);
  return Object.assign(service, {
    at: (sha256: string) => `${service.http}/api/blobs/${sha256}`,
    folder: () => folder,
    async blobs() {
      const root = join(folder, "service.db.blobs");
      const entries = await readdir(root, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name).sort();
    },
  });
}

describe("blobs over HTTP", () => {
  let dhruva: Dhruva;
  beforeEach(async () => {
    dhruva = await start({ blob_bytes: 5_000_000 });
  });

  it("are stored by PUT, 201 the first time and 200 after, and given out by GET and HEAD", async () => {
    const content = "content\n";
    const sha256 = sha256Of(content);
    expect(await send("PUT", dhruva.at(sha256), {}, content)).toMatchObject({
      status: 201,
      body: { sha256, size: 8, stored: true },
    });
    expect(await send("PUT", dhruva.at(sha256), {}, content)).toMatchObject({
      status: 200,
      body: { sha256, size: 8, stored: false },
    });
    const headers = {
      "content-type": "application/octet-stream",
      // Bun sends every stream without one.
      ...!("Bun" in globalThis) && { "content-length": "8" },
      "etag": `"${sha256}"`,
      "x-content-type-options": "nosniff",
      "content-disposition": "attachment",
    };
    expect(await get(dhruva.at(sha256))).toMatchObject({ status: 200, headers, body: content });
    expect(await send("HEAD", dhruva.at(sha256), {})).toMatchObject({ status: 200, headers, body: "" });
  });

  it("tell their channel", async () => {
    const client = await FrameClient.open(dhruva.url);
    await client.request("subscribe", { channel: "storage:blob" });
    const sha256 = sha256Of("told");
    await send("PUT", dhruva.at(sha256), {}, "told");
    const { data } = await client.event("storage.event", "storage:blob");
    expect(data).toMatchObject({ storage_type: "blob", operation: "stored", sha256, size: 4 });
    await client.close();
  });

  it("with another hash are refused with 400, and leave nothing", async () => {
    const answer = await send("PUT", dhruva.at(sha256Of("a")), {}, "b");
    expect(answer).toMatchObject({ status: 400, body: { error_code: "INVALID_DATA" } });
    expect((await get(dhruva.at(sha256Of("a")))).status).toBe(404);
    expect((await get(dhruva.at(sha256Of("b")))).status).toBe(404);
    expect(await dhruva.blobs()).toEqual([]);
  });

  it.each([
    ["..%2f..%2f..%2fetc%2fpasswd", 400],
    ["%2e%2e", 404],
    ["%00".padEnd(66, "a"), 400],
    ["incoming", 400],
    ["ABCDEF0123456789".repeat(4), 400],
    ["a".repeat(64), 404],
    ["a".repeat(65), 400],
    ["a/b", 404],
  ])("at %s answer %i", async (path, status) => {
    expect((await get(dhruva.at(path))).status).toBe(status);
    if (status === 400) expect((await send("PUT", dhruva.at(path), {}, "x")).status).toBe(400);
    expect(await dhruva.blobs()).toEqual([]);
  });

  it("over the limit are refused with 413, with and without a length, and leave nothing", async () => {
    const most = "x".repeat(5_000_000);
    expect((await send("PUT", dhruva.at(sha256Of(most)), {}, most)).status).toBe(201);
    for (const headers of [{}, { "transfer-encoding": "chunked" }] as Record<string, string>[]) {
      const over = `${most}y`;
      const answer = await send("PUT", dhruva.at(sha256Of(over)), headers, over).catch((error) => error);
      // What is left of a body that is refused may be cut off before the answer is read.
      if (answer instanceof Error) {
        expect(answer).toMatchObject({ code: expect.stringMatching(/EPIPE|ECONNRESET/) });
      } else expect(answer).toMatchObject({ status: 413, body: { error_code: "MESSAGE_TOO_LARGE" } });
    }
    await expect.poll(() => dhruva.blobs()).toEqual([sha256Of(most)]);
  });

  it("that are announced too large are refused before anything was sent", async () => {
    const outgoing = request(dhruva.at(sha256Of("x")), {
      method: "PUT",
      headers: { "content-length": 5_000_001 },
      agent: false,
    });
    outgoing.on("error", () => {});
    outgoing.flushHeaders();
    const [response] = await once(outgoing, "response");
    expect(response.statusCode).toBe(413);
    expect(response.headers.connection).toBe("close");
    outgoing.destroy();
  });

  it.each(["with", "without"])("whose sender goes away leave no file (%s a length)", async (length) => {
    const outgoing = request(dhruva.at(sha256Of("whole")), {
      method: "PUT",
      headers: length === "with" ? { "content-length": 5 } : { "transfer-encoding": "chunked" },
      agent: false,
    });
    outgoing.on("error", () => {});
    outgoing.write("who");
    await expect.poll(async () => (await dhruva.blobs()).length).toBe(1);
    outgoing.destroy();
    await expect.poll(() => dhruva.blobs()).toEqual([]);
    await expect.poll(() => statusOf(dhruva)).toMatchObject({ transfers: 0, blobs: 0 });
  });

  it("whose reader goes away give their place back", async () => {
    const content = "x".repeat(5_000_000);
    await send("PUT", dhruva.at(sha256Of(content)), {}, content);
    const { hostname, port, pathname } = new URL(dhruva.at(sha256Of(content)));
    const socket = connect(Number(port), hostname);
    socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);
    await once(socket, "data");
    socket.destroy();
    await expect.poll(() => statusOf(dhruva)).toMatchObject({ transfers: 0 });
  });

  it("that were changed on disk answer 503 and no byte", async () => {
    const sha256 = sha256Of("content");
    await send("PUT", dhruva.at(sha256), {}, "content");
    const path = join(dhruva.folder(), "service.db.blobs", sha256.slice(0, 2), sha256);
    await writeFile(path, "CONTENT");
    for (const _ of [1, 2]) {
      expect(await get(dhruva.at(sha256))).toMatchObject({
        status: 503,
        body: { error_code: "NOT_AVAILABLE", error_message: expect.stringContaining("corrupt") },
      });
    }
  });

  it("that were changed on disk answer HEAD by what shows without reading them", async () => {
    const sha256 = sha256Of("content");
    await send("PUT", dhruva.at(sha256), {}, "content");
    const path = join(dhruva.folder(), "service.db.blobs", sha256.slice(0, 2), sha256);
    await writeFile(path, "CONTENT");
    expect((await send("HEAD", dhruva.at(sha256), {})).status).toBe(200);
    await writeFile(path, "CONT");
    expect((await send("HEAD", dhruva.at(sha256), {})).status).toBe(503);
  });

  it("of many at once are all kept", async () => {
    const contents = Array.from({ length: 40 }, (_, n) => `content ${n}`);
    const answers = await Promise.all(
      contents.map((content) => send("PUT", dhruva.at(sha256Of(content)), {}, content)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(201));
    expect(await dhruva.blobs()).toEqual(contents.map(sha256Of).sort());
  });

  it("are not for pages of other origins", async () => {
    const sha256 = sha256Of("x");
    const headers = { origin: "https://evil.example" };
    expect((await send("PUT", dhruva.at(sha256), headers, "x")).status).toBe(403);
    expect((await get(dhruva.at(sha256), headers)).status).toBe(403);
    expect(await dhruva.blobs()).toEqual([]);
  });
});

async function statusOf(dhruva: Dhruva): Promise<JsonObject> {
  const status = await dhruva.request({ name: "get_status", data: {} }) as JsonObject;
  return status["manager"] as JsonObject;
}

describe("blobs with authentication required", () => {
  it("want read to GET and write to PUT", async () => {
    const secret = "a secret of this test";
    const dhruva = await start({}, { auth: { required: true, secret } });
    const bearer = async (permission: string) => ({
      authorization: `Bearer ${await createToken({
        secret,
        userId: "ada",
        permissions: [permission],
        clock: systemClock,
      })}`,
    });
    const sha256 = sha256Of("x");
    expect((await send("PUT", dhruva.at(sha256), {}, "x")).status).toBe(401);
    expect((await send("PUT", dhruva.at(sha256), await bearer("dhruva:read"), "x")).status).toBe(403);
    expect((await get(dhruva.at(sha256))).status).toBe(401);
    expect(await dhruva.blobs()).toEqual([]);
    expect((await send("PUT", dhruva.at(sha256), await bearer("dhruva:write"), "x")).status).toBe(201);
    expect((await get(dhruva.at(sha256), await bearer("dhruva:write"))).status).toBe(403);
    expect(await get(dhruva.at(sha256), await bearer("dhruva:read"))).toMatchObject({
      status: 200,
      body: "x",
    });
  });
});

describe("places for blobs", () => {
  it("are never all those of one user, or of one address", async () => {
    const secret = "a secret of this test";
    const dhruva = await start({ transfers: 3 }, { auth: { required: false, secret } });
    const bearer = async (userId: string) => ({
      authorization: `Bearer ${await createToken({
        secret,
        userId,
        permissions: ["admin"],
        clock: systemClock,
      })}`,
    });
    const hold = (headers: Record<string, string>) => {
      const outgoing = request(dhruva.at(sha256Of("held")), { method: "PUT", agent: false, headers });
      outgoing.on("error", () => {});
      outgoing.write("he");
      return outgoing;
    };
    for (const holder of [await bearer("eve"), {} as Record<string, string>]) {
      const held = [hold(holder), hold(holder)];
      await expect.poll(() => statusOf(dhruva)).toMatchObject({ transfers: 2 });
      const content = JSON.stringify(holder);
      expect((await send("PUT", dhruva.at(sha256Of(content)), holder, content)).status).toBe(503);
      expect((await send("PUT", dhruva.at(sha256Of(content)), await bearer("ada"), content)).status).toBe(
        201,
      );
      for (const outgoing of held) outgoing.destroy();
      await expect.poll(() => statusOf(dhruva)).toMatchObject({ transfers: 0 });
    }
  });
});

describe("a database in memory", () => {
  it("has its blobs in a temporary folder that goes with it", async () => {
    const temporary = await mkdtemp(join(tmpdir(), "dhruva-memory-"));
    const { TMPDIR: before } = process.env;
    process.env["TMPDIR"] = temporary;
    try {
      const server = new DhruvaWebSocketServer({
        runtime: await detectRuntime({ log: silentLog }),
        log: silentLog,
        settings: { websocket: { port: 0 }, http: { port: 0 }, storage: { path: ":memory:" } },
      });
      await server.start();
      const url = `http://127.0.0.1:${server.httpPort}/api/blobs/${sha256Of("x")}`;
      expect((await send("PUT", url, {}, "x")).status).toBe(201);
      expect((await get(url)).body).toBe("x");
      expect(await readdir(temporary)).toHaveLength(1);
      await server.stop();
      expect(await readdir(temporary)).toEqual([]);
    } finally {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
      await rm(temporary, { recursive: true });
    }
  });
});

describe("a distribution", () => {
  it("reaches a client that has subscribed, which fetches and acknowledges", async () => {
    const dhruva = await start();
    const client = await FrameClient.open(dhruva.url);
    await client.request("subscribe", { channel: "distribution" });
    await dhruva.request({ name: "store_adapter", data: adapter("1", { content: "for a client" }) });
    const { data: open } = await client.request("distribute_adapter", {
      adapter_id: ADAPTER_ID,
      targets: ["client:laptop"],
    });
    const { data: offer } = await client.event("adapter.offered", "distribution");
    expect(offer).toMatchObject({ distribution_id: open.distribution_id, target: "client:laptop" });
    const { body } = await get(dhruva.at(offer.sha256));
    const ack = { distribution_id: offer.distribution_id, target: offer.target };
    const wrong = await client.request("ack_distribution", { ...ack, sha256: sha256Of("something else") });
    expect(wrong).toMatchObject({ type: "error", error_code: "CONFLICT" });
    const right = await client.request("ack_distribution", { ...ack, sha256: sha256Of(body) });
    expect(right.data).toMatchObject({ status: "acknowledged" });
    expect((await client.event("adapter.distributed", "distribution")).data).toMatchObject({
      target: "client:laptop",
      status: "acknowledged",
    });
    // The answer comes before what it has caused.
    const names = client.frames.map(({ type, event }) => `${type} ${event}`);
    expect(names.indexOf("event adapter.distributed")).toBeGreaterThan(client.frames.indexOf(right));
    await client.close();
  });

  it("that is asked for again with the same idempotency key is the same one, told once", async () => {
    const dhruva = await start();
    await dhruva.request({ name: "store_adapter", data: adapter("1") });
    const headers = { "idempotency-key": crypto.randomUUID() };
    const data = { adapter_id: ADAPTER_ID, targets: ["client:laptop"] };
    const first = await dhruva.request({ name: "distribute_adapter", data }, headers);
    expect(await dhruva.request({ name: "distribute_adapter", data }, headers)).toEqual(first);
    expect(await statusOf(dhruva)).toMatchObject({ distributions_open: 1 });
    const client = await FrameClient.open(dhruva.url);
    await client.request("subscribe", { channel: "distribution", last: 10 });
    await client.event("adapter.offered", "distribution");
    await client.request("ping");
    expect(client.events("distribution")).toHaveLength(1);
    await client.close();
  });

  it("reaches another dhruva by its URL, with a token that may write there", async () => {
    const secret = "a secret of this test";
    const token = await createToken({
      secret,
      userId: "first",
      permissions: ["dhruva:write"],
      clock: systemClock,
    });
    const second = await start({}, { auth: { required: true, secret } });
    const first = await start({
      targets: {
        second: { url: `${second.http}/api/blobs/{sha256}`, token },
        stranger: { url: `${second.http}/api/blobs/{sha256}` },
      },
      attempts: 1,
    });
    const content = "x".repeat(2_000_000);
    const sha256 = sha256Of(content);
    await send("PUT", first.at(sha256), {}, content);
    await first.request({ name: "store_adapter", data: adapter("1", { sha256 }) });
    const client = await FrameClient.open(first.url);
    await client.request("subscribe", { channel: "distribution" });
    await client.request("distribute_adapter", { adapter_id: ADAPTER_ID, targets: ["second", "stranger"] });
    const outcome = async (target: string) =>
      (await client.frame(({ event, data }) => event === "adapter.distributed" && data.target === target))
        .data;
    expect(await outcome("second")).toMatchObject({ status: "acknowledged", sha256 });
    expect(await outcome("stranger")).toMatchObject({ status: "failed", error: expect.any(String) });
    expect(await second.blobs()).toEqual([sha256]);
    await client.close();
  });
});
