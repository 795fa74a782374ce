/**
 * A program for `transport.test.ts`: the notes service's `/mcp`, on the runtime that it runs on. Its first line on
 * standard output is `{"url": …}`. The header `x-user` says who calls, instead of a token.
 *
 * Arguments: `development` and `small-body` (a limit of 2,000 bytes).
 *
 * @module
 */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import type { AddressInfo } from "node:net";
import { createMcpEndpoint } from "../../src/mcp/transport.ts";
import { ANONYMOUS, type Identity } from "../../src/ports/call.ts";
import { notesHost } from "./notes-service.ts";

type Fetch = (request: Request) => Response | Promise<Response>;
interface Runtimes {
  readonly Deno?: {
    serve(
      options: { port: number; hostname: string; onListen(): void },
      fetch: Fetch,
    ): { addr: { port: number } };
  };
  readonly Bun?: { serve(options: { port: number; hostname: string; fetch: Fetch }): { port: number } };
}

const host = notesHost({ development: process.argv.includes("development") });
const endpoint = createMcpEndpoint(host, process.argv.includes("small-body") ? { bodyBytes: 2_000 } : {});
const app = new Hono();
app.all("/mcp", (context) => {
  const userId = context.req.header("x-user");
  const identity: Identity = userId ? { userId, permissions: [], authenticated: true } : ANONYMOUS;
  return endpoint.handle(context, identity);
});

async function listen(): Promise<number> {
  const { Deno, Bun } = globalThis as unknown as Runtimes;
  const hostname = "127.0.0.1";
  const fetch: Fetch = (request) => app.fetch(request);
  if (Deno) return Deno.serve({ port: 0, hostname, onListen() {} }, fetch).addr.port;
  if (Bun) return Bun.serve({ port: 0, hostname, fetch }).port;
  return await new Promise((resolve) => {
    serve({ fetch: app.fetch, port: 0, hostname }, (address: AddressInfo) => resolve(address.port));
  });
}

console.log(JSON.stringify({ url: `http://127.0.0.1:${await listen()}/mcp` }));
