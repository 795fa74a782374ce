/**
 * Limits of HTTP and MCP, each at its edge, over real sockets of several addresses.
 */
import { gzipSync } from "node:zlib";
import { Hono } from "hono";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createToken } from "../../src/auth/token.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { silentLog } from "../../src/ports/log.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import type { SettingsPart } from "../../src/settings/schema.ts";
import { FrameClient, refusedUpgrade } from "../support/frame-client.ts";
import { ask, isAlive, type Limited, startLimited } from "./limited-service.ts";

const PATIENCE = { timeout: 20_000 };
const SECRET = "a secret of thirty-two characters";
const JSON_BODY = { "content-type": "application/json" };
const CALL = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });

let limited: Limited;

async function start(limits: SettingsPart["limits"], more: SettingsPart = {}): Promise<void> {
  limited = await startLimited({ limits: { loopback_exempt: false, ...limits }, ...more });
}

const status = async (path: string, from = "127.0.0.1", headers = {}) =>
  (await ask(`${limited.http()}${path}`, { from, headers })).status;

const post = (path: string, body: string | Uint8Array, more: { from?: string; headers?: object } = {}) =>
  ask(`${limited.http()}${path}`, {
    ...more,
    method: "POST",
    body,
    headers: { ...JSON_BODY, ...more.headers },
  });

const tokenOf = (userId: string) =>
  createToken({
    secret: SECRET,
    userId,
    permissions: ["limited:read"],
    expiresInSeconds: 3_600,
    clock: systemClock,
  });

afterEach(async () => {
  for (const letGo of limited.waiting.splice(0)) letGo();
  await limited.server.stop();
});

describe("limits.http_rate and limits.http_burst", () => {
  it("answers a burst, refuses one more with 429, and answers again when the client has waited", async () => {
    await start({ http_rate: 2, http_burst: 3 });
    expect([await status("/api/status"), await status("/api/channels"), await status("/nothing")])
      .toEqual([200, 200, 404]);
    const refused = await ask(`${limited.http()}/api/status`);
    expect({ ...refused, text: JSON.parse(refused.text) }).toEqual({
      status: 429,
      retryAfter: "1",
      text: {
        error_code: "RATE_LIMIT_EXCEEDED",
        error_message: "Request rate limit exceeded. Retry after 0.500 seconds.",
      },
    });
    expect(await limited.reached("http_rate")).toBe(1);
    expect(await status("/api/status", "127.0.0.2")).toBe(200);
    limited.clock.forward(499);
    expect(await status("/api/status")).toBe(429);
    limited.clock.forward(1);
    expect([await status("/api/status"), await status("/api/status")]).toEqual([200, 429]);
  });

  it("holds MCP, upgrades and the metrics to the same rate, on both ports", async () => {
    await start({ http_rate: 1, http_burst: 3 });
    expect((await post("/mcp", CALL, { headers: { accept: "application/json, text/event-stream" } })).status)
      .toBe(200);
    const client = await FrameClient.open(limited.url());
    await client.close();
    expect(await status("/metrics")).toBe(200);
    expect((await post("/mcp", CALL)).status).toBe(429);
    expect(await refusedUpgrade(limited.url())).toMatchObject({ status: 429 });
    expect(await refusedUpgrade(`${limited.http().replace("http", "ws")}/ws`)).toMatchObject({ status: 429 });
    expect(await status("/metrics")).toBe(429);
  });

  it("never refuses to tell that the server lives", async () => {
    await start({ http_rate: 1, http_burst: 1 });
    expect([await status("/metrics"), await status("/metrics")]).toEqual([200, 429]);
    for (let i = 0; i < 5; i++) expect([await status("/health"), await status("/ready")]).toEqual([200, 200]);
    expect(await refusedUpgrade(`${limited.url()}/health`)).toMatchObject({ status: 429 });
  });

  it("exempts no other path that ends like those that tell it", async () => {
    await start({ http_rate: 1, http_burst: 1 });
    expect(await status("/metrics")).toBe(200);
    for (const path of ["/x/health", "/api/ready", "/health/", "/api/channels/health"]) {
      expect(await status(path), path).toBe(429);
      expect((await ask(`${limited.url().replace("ws", "http")}${path}`)).status, path).toBe(429);
    }
    expect((await ask(`${limited.http()}/health`, { method: "POST" })).status).toBe(429);
  });

  it("exempts those paths also in an app that a server is mounted in, and there too no others", async () => {
    await start({ http_rate: 1, http_burst: 1 });
    const app = new Hono().route("/deep/live", limited.server.app);
    const runtime = await detectRuntime({ log: silentLog });
    const outer = await runtime.listen({ app, host: "127.0.0.1", port: 0 });
    try {
      const from = async (path: string) =>
        (await ask(`http://127.0.0.1:${outer.port}/deep/live${path}`)).status;
      expect([await from("/metrics"), await from("/metrics")]).toEqual([200, 429]);
      for (let i = 0; i < 3; i++) expect([await from("/health"), await from("/ready")]).toEqual([200, 200]);
      expect(await from("/x/health")).toBe(429);
    } finally {
      await outer.close(0);
    }
  });

  it.each(["/health", "/ready", "/x/health"])(
    "checks no more guessed tokens at %s than elsewhere, on both ports",
    async (path) => {
      await start({ http_rate: 1, http_burst: 3 }, { auth: { secret: SECRET } });
      const guess = (base: string, n: number) =>
        ask(`${base}${path}`, { headers: { authorization: `Bearer guess-${n}` } });
      for (const base of [limited.http(), limited.url().replace("ws", "http")]) {
        const statuses: number[] = [];
        for (let n = 0; n < 5; n++) statuses.push((await guess(base, n)).status);
        expect(statuses).toEqual([401, 401, 401, 429, 429]);
        limited.clock.forward(10_000);
      }
      const whole = { headers: { authorization: `Bearer ${await tokenOf("ada")}` } };
      if (path !== "/x/health") expect((await ask(`${limited.http()}${path}`, whole)).status).toBe(200);
    },
  );

  it("counts a page that is refused for its origin", async () => {
    await start({ http_rate: 1, http_burst: 1 });
    const headers = { origin: "https://evil.example" };
    expect([await status("/health", "127.0.0.1", headers), await status("/metrics", "127.0.0.1", headers)])
      .toEqual([403, 403]);
    expect(await status("/metrics", "127.0.0.1", headers)).toBe(429);
  });

  it("counts users where they come from one address, and guessed tokens by the address", async () => {
    await start({ http_rate: 1, http_burst: 2 }, { auth: { secret: SECRET } });
    const [ada, bob] = [await tokenOf("ada"), await tokenOf("bob")];
    const as = (token: string, from?: string) =>
      status("/api/status", from, { authorization: `Bearer ${token}` });
    // More than a burst in all, and none of it is counted for the address.
    for (const token of [ada, bob]) expect([await as(token), await as(token)]).toEqual([200, 200]);
    expect([await as(ada), await as(ada, "127.0.0.2"), await as(bob)]).toEqual([429, 429, 429]);
    expect([await status("/api/status"), await status("/api/status"), await status("/api/status")])
      .toEqual([200, 200, 429]);
    limited.clock.forward(10_000);
    expect([await as("guessed"), await as("guessed again"), await as("and again")]).toEqual([401, 401, 429]);
    // Whoever has a token that holds waits with those who guess at the same address, and nowhere else.
    expect([await as(ada), await as(ada, "127.0.0.2")]).toEqual([429, 200]);
    expect(await status("/api/status")).toBe(200);
  });

  const batch = (length: number) =>
    JSON.stringify(Array.from({ length }, (_, id) => ({ jsonrpc: "2.0", id, method: "ping" })));

  it("counts each message of a batch, and says when as many may come", async () => {
    await start({ http_rate: 2, http_burst: 10 });
    expect((await post("/mcp", batch(6))).status).toBe(200);
    const refused = await post("/mcp", batch(6));
    expect({ ...refused, text: JSON.parse(refused.text) }).toEqual({
      status: 429,
      // There are four, and one of them went for the request itself.
      retryAfter: "2",
      text: {
        jsonrpc: "2.0",
        id: null,
        error: { code: -32000, message: "Request rate limit exceeded. Retry after 1.500 seconds." },
      },
    });
    expect(await limited.reached("http_rate")).toBe(1);
    expect((await post("/mcp", batch(6), { from: "127.0.0.2" })).status).toBe(200);
    limited.clock.forward(1_499);
    expect((await post("/mcp", batch(6))).status).toBe(429);
    limited.clock.forward(501);
    expect((await post("/mcp", batch(6))).status).toBe(200);
    expect((await post("/mcp", batch(1))).status).toBe(429);
  });

  it("counts the messages of a batch for the user who sends it, wherever from", async () => {
    await start({ http_rate: 1, http_burst: 10 }, { auth: { secret: SECRET } });
    const authorization = `Bearer ${await tokenOf("ada")}`;
    const asAda = async (from: string, length: number) =>
      (await post("/mcp", batch(length), { from, headers: { authorization } })).status;
    expect([await asAda("127.0.0.1", 8), await asAda("127.0.0.2", 8)]).toEqual([200, 429]);
    expect((await post("/mcp", batch(8))).status).toBe(200);
  });

  it("answers a batch that is larger than a burst after a rest, and then nothing for as long as it was", async () => {
    await start({ http_rate: 1, http_burst: 2 });
    expect((await post("/mcp", batch(20))).status).toBe(200);
    limited.clock.forward(18_999);
    expect(await status("/api/status")).toBe(429);
    limited.clock.forward(1);
    expect(await status("/api/status")).toBe(200);
  });

  it.each([
    ["exempts this machine unless told otherwise", { http_rate: 1, http_burst: 1, loopback_exempt: true }],
    ["0 is no limit", { http_rate: 0, http_burst: 1 }],
  ])("%s", async (_what, limits) => {
    await start(limits);
    for (let i = 0; i < 8; i++) expect(await status("/api/status")).toBe(200);
    expect(await limited.reached("http_rate")).toBe(0);
  });
});

describe("limits.http_requests and limits.http_requests_per_address", () => {
  it("answers as many at a time as there may be, refuses one more with 503, and answers again when one is done", async () => {
    await start({ http_requests: 3, http_requests_per_address: 0 });
    const waits = [1, 2, 3].map((part) => post("/api/requests/wait", "{}", { from: `127.0.0.${part}` }));
    await vi.waitFor(() => expect(limited.waiting).toHaveLength(3), PATIENCE);
    const refused = await ask(`${limited.http()}/api/status`);
    expect(refused).toMatchObject({ status: 503, retryAfter: "1" });
    expect(JSON.parse(refused.text)).toMatchObject({ error_code: "NOT_AVAILABLE" });
    expect((await post("/mcp", CALL)).status).toBe(503);
    expect(await isAlive(limited)).toBe(true);
    limited.waiting.shift()!();
    expect((await waits[0]!).status).toBe(200);
    expect(await status("/api/status")).toBe(200);
    expect(await limited.reached("http_requests")).toBe(2);
    for (const letGo of limited.waiting.splice(0)) letGo();
    for (const wait of waits) expect((await wait).status).toBe(200);
  });

  it("answers as many of one address as there may be, and of another one too", async () => {
    await start({ http_requests_per_address: 2 });
    const waits = [1, 2].map(() => post("/api/requests/wait", "{}"));
    await vi.waitFor(() => expect(limited.waiting).toHaveLength(2), PATIENCE);
    const refused = await ask(`${limited.http()}/api/status`);
    expect(refused).toMatchObject({ status: 429, retryAfter: "1" });
    expect(JSON.parse(refused.text)).toMatchObject({ error_code: "RATE_LIMIT_EXCEEDED" });
    expect(await status("/api/status", "127.0.0.2")).toBe(200);
    expect(await limited.reached("http_requests_per_address")).toBe(1);
    for (const letGo of limited.waiting.splice(0)) letGo();
    for (const wait of waits) expect((await wait).status).toBe(200);
    expect(await status("/api/status")).toBe(200);
  });

  it("0 is no limit", async () => {
    await start({ http_requests: 0, http_requests_per_address: 0 });
    const waits = Array.from({ length: 12 }, () => post("/api/requests/wait", "{}"));
    await vi.waitFor(() => expect(limited.waiting).toHaveLength(12), PATIENCE);
    for (const letGo of limited.waiting.splice(0)) letGo();
    for (const wait of waits) expect((await wait).status).toBe(200);
  });
});

describe("limits.message_bytes of a body", () => {
  it("takes a body of as many bytes as it may have, and answers 413 to one more", async () => {
    await start({ message_bytes: 1_024 });
    const body = (bytes: number) => "{}".padEnd(bytes);
    expect((await post("/api/requests/look", body(1_024))).status).toBe(200);
    expect((await post("/api/requests/look", body(1_025))).status).toBe(413);
    expect((await post("/mcp", CALL.padEnd(1_025))).status).toBe(413);
    expect(await limited.reached("message_bytes")).toBe(2);
  });
});

describe("A body that says to be packed", () => {
  it.each(["gzip", "br", "deflate", "GZIP, identity"])("is refused as it stands: %s", async (encoding) => {
    await start({});
    const packed = gzipSync(JSON.stringify({ pad: "x".repeat(1_000_000) }));
    for (const path of ["/api/requests/look", "/api/publish", "/mcp"]) {
      const answer = await post(path, packed, { headers: { "content-encoding": encoding } });
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.text).error_message).toMatch(
        /^Expected a body without Content-Encoding, got '/,
      );
    }
    expect((await post("/api/requests/look", "{}", { headers: { "content-encoding": "identity" } })).status)
      .toBe(200);
  });
});
