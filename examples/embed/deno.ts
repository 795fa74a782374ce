/** Serves the app on Deno, with `Deno.serve`. */
import process from "node:process";
import { denoRuntime } from "../../src/runtimes/deno.ts"; // "mcp-realtime/runtimes/deno"
import { createApp, placeOf } from "./app.ts";

const runtime = denoRuntime();
const place = placeOf(process.env);
const { app, live } = await createApp(runtime, place);

const server = Deno.serve({
  hostname: "127.0.0.1",
  port: place.port,
  onListen: ({ port }) => console.log(`Serving http://127.0.0.1:${port}`),
}, app.fetch);

const forget = runtime.onStopSignal(async () => {
  forget();
  // First the clients, who are told to go, then the server, which waits for them.
  await live.stop();
  await server.shutdown();
  // Deno keeps a timer, and by it the process, for up to 22 seconds when a client was cut off before.
  process.exit(0);
});

// Deno's own types say this already; it stands here for a type checker that runs on Node.
declare const Deno: {
  serve(
    options: { hostname: string; port: number; onListen(address: { port: number }): void },
    fetch: typeof app.fetch,
  ): { shutdown(): Promise<void> };
};
