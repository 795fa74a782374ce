/**
 * Pages from elsewhere and names that are not ours, at every route that the service has, on both ports: 403, and nothing
 * happens.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refusedUpgrade } from "../support/frame-client.ts";
import { get, send } from "../support/http-client.ts";
import { type RunningService, startService } from "./running-service.ts";
import type { ServiceDescription } from "./service-description.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

const STRANGERS: readonly Readonly<Record<string, string>>[] = [
  { host: "evil.example" },
  { host: "localhost.evil.example:8688" },
  { host: "0.0.0.0:8688" },
  { origin: "https://evil.example" },
  { origin: "http://localhost:1" },
  { origin: "http://evil.example:8688" },
  { origin: "null" },
];

const BLOB = "what a page would store";
const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "page", version: "0" } },
};

export function originTests(service: ServiceDescription): void {
  describe("pages from elsewhere", () => {
    let running: RunningService;
    let asked: { method: string; path: string; body: string }[];
    const trigger = service.trigger(0);

    /** A route's pattern as the path of a request that would have an effect, and its body. */
    function requestTo(method: string, pattern: string) {
      const path = pattern.replace("/*", "/no/such/route").replace(":name", trigger.name)
        .replace(":channel", service.channel)
        .replace(":sha256", createHash("sha256").update(BLOB).digest("hex"))
        .replaceAll(/:\w+/g, "x");
      const announcement = { event: "system.announcement", data: { message: "by a page" } };
      const value = path.endsWith("/publish") ? announcement : path === "/mcp" ? INITIALIZE : trigger.data;
      const hasBody = method === "POST" || method === "PUT";
      return { method, path, body: !hasBody ? "" : method === "PUT" ? BLOB : JSON.stringify(value) };
    }

    const figures = async () => {
      const { epoch, seq } = (await get(`${running.http}/api/channels`)).body;
      return { epoch, seq, connections: running.server.connections.size };
    };

    beforeAll(async () => {
      running = await startService(service);
      for (const request of service.prepare) await running.request(request);
      const known = new Map(
        running.server.app.routes
          .flatMap(({ method, path }) =>
            (method === "ALL" ? METHODS : [method]).map((one) => requestTo(one, path))
          )
          .map((request) => [`${request.method} ${request.path}`, request]),
      );
      asked = [...known.values()];
    });
    afterAll(() => running?.stop());

    it("the routes that are asked are all there are, and answer their own", async () => {
      const paths = new Set(asked.map(({ method, path }) => `${method} ${path}`));
      const expected = [
        "GET /health",
        "GET /ready",
        "GET /metrics",
        "GET /ws",
        "POST /mcp",
        "POST /api/publish",
      ];
      const own = (running.server.service.routes ?? []).map(({ method, path }) => requestTo(method, path));
      for (const known of [...expected, ...own.map(({ method, path }) => `${method} ${path}`)]) {
        expect(paths, known).toContain(known);
      }
      expect(paths).toContain(`POST /api/requests/${trigger.name}`);
      for (const path of ["/health", "/ready", "/metrics", "/api/status"]) {
        expect((await get(`${running.http}${path}`)).status, path).toBe(200);
      }
    });

    it.each(STRANGERS)(
      "%o is refused at every route with every method, without an effect",
      async (stranger) => {
        const before = await figures();
        for (const base of [running.http, running.url.replace("ws:", "http:")]) {
          for (const { method, path, body } of asked) {
            const type = method === "PUT" ? "application/octet-stream" : "application/json";
            const headers = {
              ...stranger,
              ...(body === "" ? {} : { "content-type": type }),
              accept: "application/json, text/event-stream",
            };
            const answer = await send(method, `${base}${path}`, headers, body);
            expect(answer.status, `${method} ${path}`).toBe(403);
            if (method !== "HEAD") expect(answer.body).toMatchObject({ error_code: "FORBIDDEN" });
            const given = Object.keys(answer.headers);
            expect(given.filter((name) => /^(access-control-|mcp-session)/.test(name)), `${method} ${path}`)
              .toEqual([]);
          }
        }
        expect(await figures()).toEqual(before);
      },
    );

    it.each(STRANGERS)("%o is refused before an upgrade, on any path", async ({ origin, host }) => {
      const options = { ...(origin ? { origin } : {}), ...(host ? { headers: { host } } : {}) };
      for (const base of [running.http.replace("http:", "ws:"), running.url]) {
        for (const path of ["/ws", "/health", "/metrics", "/", "/no/such/route"]) {
          const refusal = await refusedUpgrade(`${base}${path}`, options);
          expect(refusal.status, path).toBe(403);
          expect(JSON.parse(refusal.body), path).toMatchObject({ error_code: "FORBIDDEN" });
        }
      }
      expect(running.server.connections.size).toBe(0);
      expect(running.log.filter((line) => line.includes("Client connected"))).toEqual([]);
    });
  });
}
