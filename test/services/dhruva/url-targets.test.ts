import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { answerJson, type Delivered, type HttpTarget, startHttpTarget } from "./http-target.ts";
import { adapter, ADAPTER_ID, sha256Of, type Started, startManager } from "./started-manager.ts";

let started: Started;
const servers: HttpTarget[] = [];
afterEach(async () => {
  await started.stop();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

const CONTENT = "the content";
const SHA256 = sha256Of(CONTENT);

async function startTarget(...parameters: Parameters<typeof startHttpTarget>): Promise<HttpTarget> {
  const server = await startHttpTarget(...parameters);
  servers.push(server);
  return server;
}

/** A manager with one adapter and a target of this URL. */
async function startWith(url: string, more: JsonObject = {}, target: JsonObject = {}): Promise<void> {
  started = await startManager(() => ({ attempts: 1, targets: { there: { url, ...target } }, ...more }));
  await started.request("store_adapter", adapter("1.0+a", { content: CONTENT }));
}

const distribute = () =>
  started.request("distribute_adapter", { adapter_id: ADAPTER_ID, targets: ["there"] });
const outcome = async () => (await started.heard("adapter.distributed")).data;
const honest = ({ body }: Delivered, response: ServerResponse) =>
  answerJson(response, { sha256: sha256Of(body), stored: true }, 201);

describe("a URL target", () => {
  it("is PUT the content, with its hash and who it is, and acknowledges by its own answer", async () => {
    const target = await startTarget(honest);
    await startWith(`${target.url}/blobs/{sha256}?of={adapter_id}&v={version}`, {}, { token: "let me in" });
    await distribute();
    expect(await outcome()).toMatchObject({
      target: "there",
      status: "acknowledged",
      sha256: SHA256,
      attempts: 1,
      error: null,
    });
    expect(target.delivered).toMatchObject([{
      method: "PUT",
      path: `/blobs/${SHA256}?of=storage%3Acache%3Aredis&v=1.0%2Ba`,
      headers: {
        "authorization": "Bearer let me in",
        "content-type": "application/octet-stream",
        "x-adapter-id": ADAPTER_ID,
        "x-adapter-version": "1.0+a",
        "x-content-sha256": SHA256,
      },
    }]);
    expect(target.delivered[0]!.body.toString()).toBe(CONTENT);
  });

  it("may write the hash in capitals", async () => {
    const target = await startTarget((_, response) => answerJson(response, { sha256: SHA256.toUpperCase() }));
    await startWith(target.url);
    await distribute();
    expect(await outcome()).toMatchObject({ status: "acknowledged" });
  });

  it.each<[string, (delivered: Delivered, response: ServerResponse) => void, string]>([
    [
      "another hash",
      (_, response) => answerJson(response, { sha256: sha256Of("something else") }),
      `It has stored ${sha256Of("something else")}`,
    ],
    ["nothing", (_, response) => void response.end(), "not JSON"],
    ["a page", (_, response) => void response.end(`<p>${SHA256}</p>`), "not JSON"],
    ["JSON without a hash", (_, response) => answerJson(response, { ok: true }), "not JSON with"],
    ["a hash that is none", (_, response) => answerJson(response, { sha256: "yes" }), "not JSON with"],
    ["a hash as the whole answer", (_, response) => answerJson(response, SHA256), "not JSON with"],
    [
      "a hash that it has not said itself",
      (_, response) => void response.end(`{"__proto__":{"sha256":"${SHA256}"}}`),
      "not JSON with",
    ],
    ["404", (_, response) => answerJson(response, { sha256: SHA256 }, 404), "answered 404"],
    ["500", (_, response) => answerJson(response, { sha256: SHA256 }, 500), "answered 500"],
    [
      "more than is read",
      (_, response) => void response.end(`{"sha256":"${SHA256}","x":"${"x".repeat(70_000)}"}`),
      "larger than 65536",
    ],
    ["half an answer", (_, response) => {
      response.writeHead(200, { "content-length": "1000" }).write('{"sha256":"');
      response.socket?.destroySoon();
    }, "broke off"],
    ["a hang-up", (_, response) => void response.socket?.destroy(), "Cannot reach it"],
  ])("that answers %s has not acknowledged", async (_, answer, error) => {
    const target = await startTarget(answer);
    await startWith(target.url);
    await distribute();
    expect(await outcome()).toMatchObject({ status: "failed", error: expect.stringContaining(error) });
  });

  it.each([301, 302, 303, 307, 308])("that answers with a redirect (%i) is not followed", async (code) => {
    const inner = await startTarget(honest);
    const target = await startTarget((_, response) => {
      response.writeHead(code, { location: inner.url, "content-type": "application/json" });
      response.end(JSON.stringify({ sha256: SHA256 }));
    });
    await startWith(target.url, {}, { token: "secret" });
    await distribute();
    expect(await outcome()).toMatchObject({ status: "failed", error: expect.stringContaining("redirect") });
    expect(inner.begun()).toBe(0);
  });

  it("that never answers is given up after the time that the setting says", async () => {
    const target = await startTarget(() => {});
    await startWith(target.url, { delivery_seconds: 20 });
    await distribute();
    await started.until(() => target.delivered.length === 1);
    started.clock.advance(20_000);
    expect(await outcome()).toMatchObject({ status: "failed", error: "It took longer than 20 seconds" });
  });

  it("that stands still in the middle of its answer is given up likewise", async () => {
    const target = await startTarget((_, response) => void response.write('{"sha256":'));
    await startWith(target.url, { delivery_seconds: 20 });
    await distribute();
    await started.until(() => target.delivered.length === 1);
    started.clock.advance(20_000);
    expect(await outcome()).toMatchObject({ status: "failed" });
  });

  it("that refuses before it has read all is heard", async () => {
    const target = await startTarget(
      (_, response) => void response.writeHead(413, { connection: "close" }).end(),
      { early: true },
    );
    started = await startManager(() => ({ attempts: 1, targets: { there: { url: target.url } } }));
    const { sha256 } = await started.upload("x".repeat(3_000_000));
    await started.request("store_adapter", adapter("1", { sha256 }));
    await distribute();
    expect(await outcome()).toMatchObject({ status: "failed", error: expect.any(String) });
  });

  it("that nobody listens at fails, without its token in the message or the log", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, "close");
    await startWith(`http://127.0.0.1:${port}`, {}, { token: "very-secret" });
    await distribute();
    const { status, error } = await outcome();
    expect([status, error]).toEqual(["failed", expect.stringContaining("Cannot reach it")]);
    expect(`${error}${started.log.join("\n")}`).not.toContain("very-secret");
  });

  it("is tried again, and then told once", async () => {
    let answers = 0;
    const target = await startTarget((delivered, response) => {
      if (++answers < 3) answerJson(response, { error: "busy" }, 503);
      else honest(delivered, response);
    });
    await startWith(target.url, { attempts: 5, retry_base_ms: 1_000, retry_max_ms: 1_000 });
    const { distribution_id } = await distribute();
    for (const attempts of [1, 2]) {
      await started.until(async () => {
        const { targets } = await started.request("get_distribution_status", { distribution_id });
        return targets[0]!.attempts === attempts;
      });
      started.clock.advance(1_000);
    }
    expect(await outcome()).toMatchObject({ status: "acknowledged", attempts: 3 });
    expect(started.told().filter(({ event }) => event === "adapter.distributed")).toHaveLength(1);
  });

  it("is not sent the end of a content that is corrupt", async () => {
    const target = await startTarget(honest);
    started = await startManager(() => ({ attempts: 1, targets: { there: { url: target.url } } }));
    const content = "x".repeat(300_000);
    const { sha256 } = await started.upload(content);
    await started.request("store_adapter", adapter("1", { sha256 }));
    await writeFile(started.blobPath(sha256), `${"x".repeat(299_999)}y`);
    await distribute();
    expect(await outcome()).toMatchObject({ status: "failed" });
    expect(target.delivered).toEqual([]);
    expect((await started.heard("storage.event", ({ operation }) => operation === "corrupt")).data.sha256)
      .toBe(
        sha256,
      );
  });

  it("that was taken out of the settings while something was pending fails with a sentence", async () => {
    const target = await startTarget((_, response) => answerJson(response, {}, 503));
    const targets: Record<string, JsonObject> = { there: { url: target.url } };
    started = await startManager(() => ({ attempts: 2, retry_base_ms: 1, targets }));
    await started.request("store_adapter", adapter("1", { content: CONTENT }));
    const { distribution_id } = await distribute();
    await started.until(async () => {
      const { targets } = await started.request("get_distribution_status", { distribution_id });
      return targets[0]!.attempts === 1;
    });
    delete targets["there"];
    await started.restart("orderly");
    started.clock.advance(1_000);
    expect(await outcome()).toMatchObject({ error: "It is no longer in setting targets", attempts: 2 });
  });
});

describe("stop", () => {
  it("breaks off what is under way, which is not counted and goes on at the next start", async () => {
    let isHonest = false;
    const target = await startTarget((delivered, response) => {
      if (isHonest) honest(delivered, response);
    });
    await startWith(target.url);
    await distribute();
    await started.until(() => target.delivered.length === 1);
    isHonest = true;
    await started.restart("orderly");
    expect(await outcome()).toMatchObject({ status: "acknowledged", attempts: 1 });
  });
});
