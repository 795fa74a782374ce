/** Serves the app on Node, with `serve` of @hono/node-server. */
import process from "node:process";
import { serve } from "@hono/node-server";
import { nodeRuntime } from "../../src/runtimes/node.ts"; // "mcp-realtime/runtimes/node"
import { createApp, placeOf } from "./app.ts";

const runtime = nodeRuntime();
const place = placeOf(process.env);
const { app, live } = await createApp(runtime, place);

const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: place.port }, ({ port }) => {
  console.log(`Serving http://127.0.0.1:${port}`);
});
// On Node upgrade requests do not pass through `fetch`.
runtime.attach(server, app);

const forget = runtime.onStopSignal(async () => {
  forget();
  // First the clients, who are told to go, then the server, which waits for them.
  await live.stop();
  server.close();
});
