/**
 * A program that serves what the conformance suite asks a server for by name, through the same `src/mcp` as the services,
 * on the runtime that it runs on. Its first line on standard output is `{"url": …}`.
 *
 * @module
 */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import type { AddressInfo } from "node:net";
import { createOriginRule } from "../../src/auth/origin.ts";
import { createMcpEndpoint } from "../../src/mcp/transport.ts";
import { ANONYMOUS } from "../../src/ports/call.ts";
import { notesHost } from "../mcp/notes-service.ts";
import { fixturePrompts } from "./fixture-prompts.ts";
import { fixtureResources } from "./fixture-resources.ts";
import { fixtureTools } from "./fixture-tools.ts";

type Fetch = (request: Request) => Response | Promise<Response>;
interface Runtimes {
  readonly Deno?: {
    serve(
      options: { port: number; hostname: string; onListen(): void },
      fetch: Fetch,
    ): { addr: { port: number } };
  };
  readonly Bun?: {
    serve(options: { port: number; hostname: string; idleTimeout: number; fetch: Fetch }): { port: number };
  };
}

const endpoint = createMcpEndpoint(notesHost(), {}, {
  tools: fixtureTools,
  resources: fixtureResources,
  prompts: fixturePrompts,
});
const rule = createOriginRule({ ownPorts: [], allowedOrigins: [], allowedHosts: [] });
const app = new Hono();
app.all("/mcp", async (context) => {
  const verdict = rule.check({ host: context.req.header("host"), origin: context.req.header("origin") });
  if (!verdict.ok) return context.text(verdict.message, 403);
  return await endpoint.handle(context, ANONYMOUS);
});

async function listen(): Promise<number> {
  const { Deno, Bun } = globalThis as unknown as Runtimes;
  const hostname = "127.0.0.1";
  const fetch: Fetch = (request) => app.fetch(request);
  if (Deno) return Deno.serve({ port: 0, hostname, onListen() {} }, fetch).addr.port;
  if (Bun) return Bun.serve({ port: 0, hostname, idleTimeout: 255, fetch }).port;
  return await new Promise((resolve) => {
    serve({ fetch: app.fetch, port: 0, hostname }, (address: AddressInfo) => resolve(address.port));
  });
}

console.log(JSON.stringify({ url: `http://127.0.0.1:${await listen()}/mcp` }));
