import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createToken } from "../../src/auth/token.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { lineLog, silentLog } from "../../src/ports/log.ts";
import { Refusal } from "../../src/protocol/errors.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { serverOf } from "../../src/server/broadcast-methods.ts";
import { defineService } from "../../src/service/define-service.ts";
import type { HttpRoute } from "../../src/service/http-route.ts";
import type { SettingsPart } from "../../src/settings/schema.ts";
import { get, post, send } from "../support/http-client.ts";
import { makeOwnService, type OwnManager } from "./own-service.ts";

const SECRET = "only for this test";

/** What the routes below have seen and given. */
interface Seen {
  readonly bodies: string[];
  cancelled: number;
  readonly callers: string[];
  /** Requests whose caller is waited for to go away, and those that have. */
  waiting: number;
  left: number;
}

function routesOf(seen: Seen): HttpRoute<OwnManager>[] {
  return [
    {
      method: "PUT",
      path: "/api/notes/:note",
      access: "write",
      async handle(manager, { parameters, header, body, identity }) {
        const text = await new Response(body).text();
        seen.bodies.push(text);
        manager.count++;
        const { note = "" } = parameters;
        return {
          status: 201,
          body: { note, kind: header("x-kind") ?? null, length: text.length, user: identity.userId },
        };
      },
    },
    {
      method: "GET",
      path: "/api/notes/:note",
      access: "read",
      handle: () => {
        let pieces = 3;
        const body = new ReadableStream<Uint8Array>({
          pull(controller) {
            if (pieces-- > 0) controller.enqueue(new TextEncoder().encode("piece "));
            else controller.close();
          },
          cancel: () => void seen.cancelled++,
        }, { highWaterMark: 0 });
        return Promise.resolve({ headers: { "Content-Type": "text/x-note", "X-Own": "yes" }, body });
      },
    },
    {
      method: "GET",
      path: "/api/caller",
      access: "read",
      handle: (_, { method, caller }) => {
        seen.callers.push(`${method} ${caller}`);
        return Promise.resolve({ headers: { "X-Own": "yes" }, body: method === "HEAD" ? null : {} });
      },
    },
    {
      method: "GET",
      path: "/api/waiting",
      access: "read",
      async handle(_, { signal }) {
        seen.waiting++;
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        seen.left++;
        throw new Refusal("NOT_AVAILABLE", "Nobody waits any more");
      },
    },
    {
      method: "PUT",
      path: "/api/refused",
      access: "write",
      handle: () => Promise.reject(new Refusal("MESSAGE_TOO_LARGE", "Too much")),
    },
    {
      method: "GET",
      path: "/api/broken",
      access: "read",
      handle: () => Promise.reject(new Error("an inner secret")),
    },
  ];
}

async function start(settings: SettingsPart = {}) {
  const seen: Seen = { bodies: [], cancelled: 0, callers: [], waiting: 0, left: 0 };
  const lines: string[] = [];
  const log = lineLog({ level: "debug", write: (line) => lines.push(line) });
  const Server = serverOf(defineService({ ...makeOwnService(), routes: routesOf(seen) }));
  const server = new Server({
    runtime: await detectRuntime({ log }),
    log,
    settings: {
      ...settings,
      websocket: { port: 0 },
      http: { port: 0 },
      storage: { path: ":memory:" },
      shutdown: { drain_ms: 200 },
    },
  });
  await server.start();
  return { server, seen, log: lines, http: `http://127.0.0.1:${server.httpPort}` };
}

type Running = Awaited<ReturnType<typeof start>>;

describe("routes of a service", () => {
  let running: Running;
  beforeAll(async () => {
    running = await start();
  });
  afterAll(() => running.server.stop());
  const at = (path: string) => `${running.http}${path}`;

  it("are given the manager, the path's places, headers and the body", async () => {
    const answer = await send("PUT", at("/api/notes/a%2Fb"), { "x-kind": "short" }, "hello");
    expect(answer).toMatchObject({
      status: 201,
      headers: { "content-type": "application/json" },
      body: { note: "a/b", kind: "short", length: 5, user: null },
    });
    expect(running.server.manager.count).toBeGreaterThan(0);
  });

  it("read a body of any size, with and without a length", async () => {
    const body = "x".repeat(3_000_000);
    expect((await send("PUT", at("/api/notes/large"), {}, body)).body.length).toBe(body.length);
    const chunked = await send("PUT", at("/api/notes/large"), { "transfer-encoding": "chunked" }, body);
    expect(chunked.body.length).toBe(body.length);
  });

  it("answer with a stream, to GET with it and to HEAD with its headers alone, and let go of it", async () => {
    expect(await get(at("/api/notes/a"))).toMatchObject({
      status: 200,
      headers: { "content-type": "text/x-note", "x-own": "yes" },
      body: "piece piece piece ",
    });
    expect(await send("HEAD", at("/api/notes/a"), {})).toMatchObject({
      status: 200,
      headers: { "content-type": "text/x-note" },
      body: "",
    });
    expect(running.seen.cancelled).toBe(1);
  });

  it("tell HEAD from GET, and may answer with headers alone", async () => {
    expect(await get(at("/api/caller"))).toMatchObject({
      status: 200,
      headers: { "x-own": "yes" },
      body: {},
    });
    const head = await send("HEAD", at("/api/caller"), {});
    expect(head).toMatchObject({ status: 200, headers: { "x-own": "yes" }, body: "" });
    expect(running.seen.callers).toEqual(["GET address 127.0.0.1", "HEAD address 127.0.0.1"]);
  });

  it("are told when their caller has gone away before the answer", async () => {
    const outgoing = request(at("/api/waiting"), { agent: false });
    outgoing.on("error", () => {});
    outgoing.end();
    await expect.poll(() => running.seen.waiting, { timeout: 30_000 }).toBe(1);
    outgoing.destroy();
    await expect.poll(() => running.seen.left, { timeout: 30_000 }).toBe(1);
  });

  it("refuse as requests do, with the status of the refusal", async () => {
    const answer = await send("PUT", at("/api/refused"), {}, "x".repeat(2_000_000)).catch((error) => error);
    // The rest of a body that is refused may be cut off.
    if (answer instanceof Error) {
      expect(answer).toMatchObject({ code: expect.stringMatching(/EPIPE|ECONNRESET/) });
    } else expect(answer).toMatchObject({ status: 413, body: { error_code: "MESSAGE_TOO_LARGE" } });
    expect(await send("PUT", at("/api/refused"), {}, "x")).toMatchObject({
      status: 413,
      headers: { connection: "close" },
      body: { error_code: "MESSAGE_TOO_LARGE", error_message: "Too much" },
    });
  });

  it("keep what they throw inside: 500, and an id that the log explains", async () => {
    const answer = await get(at("/api/broken"));
    expect(answer).toMatchObject({ status: 500, body: { error_code: "SERVER_ERROR" } });
    expect(JSON.stringify(answer.body)).not.toContain("secret");
    const id = /[0-9a-f-]{36}/.exec(answer.body.error_message)![0];
    expect(running.log.filter((line) => line.includes(id))).toEqual([
      expect.stringContaining("an inner secret"),
    ]);
  });

  it("are named where nothing is, and hide no route that every service has", async () => {
    const answer = await send("DELETE", at("/api/notes/a"), {});
    expect(answer.status).toBe(404);
    expect(answer.body.error_message).toContain("PUT /api/notes/{note}, GET /api/notes/{note}");
    expect((await post(at("/api/requests/look"), {})).status).toBe(200);
    expect((await get(at("/health"))).status).toBe(200);
  });

  it("are not on the WebSocket port", async () => {
    const url = `http://127.0.0.1:${running.server.port}/api/notes/a`;
    expect((await send("PUT", url, {}, "x")).status).toBe(404);
  });

  it.each(["https://evil.example", "http://localhost:1", "null"])(
    "refuse pages of other origins (%s) before anything is read",
    async (origin) => {
      const before = running.seen.bodies.length;
      expect(await send("PUT", at("/api/notes/a"), { origin }, "x")).toMatchObject({
        status: 403,
        body: { error_code: "FORBIDDEN" },
      });
      expect(await send("GET", at("/api/notes/a"), { origin })).toMatchObject({ status: 403 });
      expect(running.seen.bodies).toHaveLength(before);
    },
  );

  it("refuse hosts that are not ours", async () => {
    expect(await get(at("/api/notes/a"), { host: "rebound.example" })).toMatchObject({ status: 403 });
  });

  it("answer NOT_AVAILABLE until the service is up", async () => {
    const Server = serverOf(defineService({ ...makeOwnService(), routes: routesOf(running.seen) }));
    const server = new Server({ runtime: await detectRuntime(), log: silentLog });
    const answer = await server.app.request("http://localhost/api/notes/a");
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error_code: "NOT_AVAILABLE" });
  });
});

describe("routes of a service with authentication required", () => {
  let running: Running;
  beforeAll(async () => {
    running = await start({ auth: { required: true, secret: SECRET } });
  });
  afterAll(() => running.server.stop());

  const headers = async (permissions: string[]) => ({
    authorization: `Bearer ${await createToken({
      secret: SECRET,
      userId: "ada",
      permissions,
      clock: systemClock,
    })}`,
  });

  it("are for those who hold what they want", async () => {
    const url = `${running.http}/api/notes/a`;
    const cases: [string[], { readonly GET: number; readonly PUT: number }][] = [
      [["own:read"], { GET: 200, PUT: 403 }],
      [["own:write"], { GET: 403, PUT: 201 }],
      [["admin"], { GET: 200, PUT: 201 }],
      [["other:admin"], { GET: 403, PUT: 403 }],
      [[], { GET: 403, PUT: 403 }],
    ];
    for (const [permissions, expected] of cases) {
      for (const [method, status] of Object.entries(expected)) {
        const before = running.seen.bodies.length;
        const answer = await send(method, url, await headers(permissions), method === "PUT" ? "x" : "");
        expect(answer.status, `${permissions} ${method}`).toBe(status);
        if (status === 403) expect(answer.body.error_message).toContain("own:");
        expect(running.seen.bodies.length - before).toBe(status === 201 ? 1 : 0);
      }
    }
  });

  it("want a token, and a good one", async () => {
    const url = `${running.http}/api/notes/a`;
    for (const method of ["GET", "PUT", "HEAD"]) {
      expect((await fetch(url, { method })).status, method).toBe(401);
      expect((await fetch(url, { method, headers: { authorization: "Bearer bad" } })).status, method).toBe(
        401,
      );
    }
    expect(running.seen.bodies).not.toContain("");
  });
});
