/**
 * A program for `transport.test.ts`: the notes service's `/mcp`, on the runtime that it runs on. Its first line on
 * standard output is `{"url": …}`. The header `x-user` says who calls, instead of a token.
 *
 * Arguments: `development` and `small-body` (a limit of 2,000 bytes).
 *
 * @module
 */
import { Hono } from "hono";
import { createMcpEndpoint } from "../../src/mcp/transport.ts";
import { ANONYMOUS, type Identity } from "../../src/ports/call.ts";
import { notesHost } from "./notes-service.ts";
import { serveApp } from "./serve-app.ts";

const host = notesHost({ development: process.argv.includes("development") });
const endpoint = createMcpEndpoint(host, process.argv.includes("small-body") ? { bodyBytes: 2_000 } : {});
const app = new Hono();
app.all("/mcp", (context) => {
  const userId = context.req.header("x-user");
  const identity: Identity = userId ? { userId, permissions: [], authenticated: true } : ANONYMOUS;
  return endpoint.handle(context, identity);
});

console.log(JSON.stringify({ url: `${await serveApp(app)}/mcp` }));
