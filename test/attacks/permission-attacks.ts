/**
 * Nobody gets more than a token allows, by whatever door and under whatever name. What is tried follows from the
 * contracts: a request, a channel kind, an event or a route that is new is tried without anybody thinking of it.
 *
 * @module
 */
import { beforeAll, describe, expect, it } from "vitest";
import type { Access } from "../../src/protocol/contract.ts";
import { Attacker, each, httpVerdict, toolVerdict } from "./attacker.ts";
import { channelAttacks } from "./channel-attacks.ts";
import { type Holder, holdersOf } from "./holders.ts";
import type { Service, Target } from "./target.ts";

const AT_ONCE = 4;
/** Requests that the protocol itself answers, before the dispatch. */
const COMMON: Record<string, Access | "any"> = {
  get_status: "read",
  get_history: "read",
  get_presence: "read",
  publish: "any",
};

const PLAIN: Record<string, string> = {};

export function permissionAttacks(target: () => Target): void {
  describe("permissions", () => {
    const holders = new Map<string, Holder[]>();
    const of = (service: Service) => holders.get(service.name)!;

    beforeAll(async () => {
      for (const service of target().services) holders.set(service.name, await holdersOf(target(), service));
    });

    it("hold for every request, by frame, over HTTP and as MCP tool", async () => {
      const failures: string[] = [];
      let tried = 0;
      await each(target().services, AT_ONCE, async (service) => {
        const own = Object.entries(service.contract.requests).map(([name, { access }]) =>
          [name, access] as const
        );
        const requests: (readonly [string, Access | "any"])[] = [...own, ...Object.entries(COMMON)];
        for (const { name, accesses, attacker } of of(service)) {
          const client = await attacker.connect(service.websocket);
          for (const [request, access] of requests) {
            const isAllowed = access === "any" ? accesses.length > 0 : accesses.includes(access);
            const verdicts = {
              websocket: String((await client.request(request, {})).error_code ?? "answered"),
              http: httpVerdict(await attacker.ask(service, request)),
              mcp: toolVerdict(await attacker.tool(service, request)),
            };
            for (const [door, verdict] of Object.entries(verdicts)) {
              tried++;
              const isRefused = verdict === "FORBIDDEN";
              if (isRefused !== isAllowed && verdict !== "SERVER_ERROR") continue;
              failures.push(`${service.name}.${request} by ${name} through ${door}: ${verdict}`);
            }
          }
          await client.close();
        }
      });
      expect(failures).toEqual([]);
      expect(tried).toBeGreaterThan(1_000);
    }, 120_000);

    it("hold for whoever has no token, at every address", async () => {
      const nobody = new Attacker("127.0.30.1");
      const failures: string[] = [];
      await each(target().services, AT_ONCE, async (service) => {
        const { http, contract, routes } = service;
        const tries: [string, string][] = [
          ...["/api/status", "/api/channels", "/metrics", "/mcp", "/api/", "/api"].map((
            path,
          ): [string, string] => ["GET", path]),
          ...Object.keys(contract.requests).map((
            name,
          ): [string, string] => ["POST", `/api/requests/${name}`]),
          ...Object.keys(COMMON).map((name): [string, string] => ["POST", `/api/requests/${name}`]),
          ["POST", "/api/publish"],
          ["POST", "/mcp"],
          ["DELETE", "/mcp"],
          ...Object.keys(contract.channels).map((
            kind,
          ): [string, string] => ["GET", `/api/channels/${kind}:*/events`]),
          ...routes.map((
            { method, path },
          ): [string, string] => [method, path.replaceAll(/:\w+/g, "a".repeat(64))]),
          // Ways to write a path so that a check might not know it again.
          ...[
            "//api/status",
            "/./api/status",
            "/API/status",
            "/api//status",
            "/api/status/",
            "/api/%73tatus",
            "/x/../api/status",
            "/api/status;x=1",
            "/api%2fstatus",
            "/metrics/",
            "/METRICS",
            "/mcp/",
            "/health/../metrics",
            "/ready/..%2f..%2fmetrics",
          ]
            .map((path): [string, string] => ["GET", path]),
        ];
        for (const [method, path] of tries) {
          for (
            const headers of [PLAIN, {
              "x-forwarded-for": "127.0.0.1",
              "x-original-url": "/health",
              "x-http-method-override": "GET",
            }]
          ) {
            const answer = await nobody.http(`${http}${path}`, {
              method,
              headers,
              ...(method === "POST" ? { body: {} } : {}),
            });
            if (answer.status !== 401 && answer.status !== 404 && answer.status !== 400) {
              failures.push(`${service.name} ${method} ${path}: ${answer.status}`);
            }
          }
        }
      });
      expect(failures).toEqual([]);
    });

    it("hold for every event that somebody would like to have happened", async () => {
      const failures: string[] = [];
      await each(target().services, AT_ONCE, async (service) => {
        const events = Object.entries(service.contract.events as Record<string, { publishable?: Access }>);
        for (const { name, accesses, attacker } of of(service)) {
          const client = await attacker.connect(service.websocket);
          for (const [event, { publishable }] of events) {
            if (publishable !== undefined && accesses.includes(publishable)) continue;
            const body = { event, data: {}, channel: "global" };
            const verdicts = {
              request: String((await client.request("publish", body)).error_code),
              event: String((await client.request(event, {}, { type: "event", room: "global" })).error_code),
              http: httpVerdict(await attacker.http(`${service.http}/api/publish`, { method: "POST", body })),
              mcp: toolVerdict(await attacker.tool(service, "publish", body)),
            };
            for (const [door, verdict] of Object.entries(verdicts)) {
              if (verdict !== "FORBIDDEN") {
                failures.push(`${service.name} ${event} by ${name} as ${door}: ${verdict}`);
              }
            }
          }
          await client.close();
        }
      });
      expect(failures).toEqual([]);
    }, 120_000);

    it("hold for a service's own addresses and for each tool that is listed", async () => {
      const failures: string[] = [];
      let tools = 0;
      await each(target().services, AT_ONCE, async (service) => {
        for (const { name, accesses, attacker } of of(service)) {
          for (const { method, path, access } of service.routes) {
            if (accesses.includes(access)) continue;
            for (const parameter of ["a".repeat(64), "..%2f..%2fsettings", "%2e%2e"]) {
              const at = path.replaceAll(/:\w+/g, parameter);
              const { status } = await attacker.http(`${service.http}${at}`, {
                method,
                ...(method === "PUT" ? { body: "x" } : {}),
              });
              if (status !== 403 && status !== 404) failures.push(`${method} ${at} by ${name}: ${status}`);
            }
          }
          const { body } = await attacker.rpc(service, "tools/list");
          for (
            const tool of body.result.tools as { name: string; annotations?: { readOnlyHint?: boolean } }[]
          ) {
            // Requests were tried above; what is left only reads.
            if (tool.name in service.contract.requests || tool.name in COMMON) continue;
            tools++;
            const verdict = toolVerdict(await attacker.tool(service, tool.name));
            const isRefused = verdict === "FORBIDDEN";
            if (isRefused === accesses.includes("read")) {
              failures.push(`${service.name}.${tool.name} by ${name}: ${verdict}`);
            }
          }
        }
      });
      expect(failures).toEqual([]);
      expect(tools).toBeGreaterThan(100);
    }, 120_000);

    channelAttacks(target, of);
  });
}
