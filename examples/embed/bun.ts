/** Serves the app on Bun, with `Bun.serve`. */
import process from "node:process";
import { bunRuntime } from "../../src/runtimes/bun.ts"; // "mcp-realtime/runtimes/bun"
import { createApp, placeOf } from "./app.ts";

const runtime = bunRuntime();
const place = placeOf(process.env);
const { app, live } = await createApp(runtime, place);

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: place.port,
  // Bun hands its server along with each request; an app that is given only the request cannot upgrade.
  fetch: app.fetch,
  websocket: runtime.websocket,
});
console.log(`Serving http://127.0.0.1:${server.port}`);

const forget = runtime.onStopSignal(async () => {
  forget();
  // First the clients, who are told to go, then the server, which waits for them.
  await live.stop();
  await server.stop();
});

// Package @types/bun says this already; it stands here for a project that does not have it.
declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    fetch: typeof app.fetch;
    websocket: typeof runtime.websocket;
  }): { port: number; stop(): Promise<void> };
};
