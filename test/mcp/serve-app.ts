/**
 * An app on a port of the loopback interface, by the server of the runtime that this runs on.
 *
 * @module
 */
import { serve } from "@hono/node-server";
import type { AddressInfo } from "node:net";

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

/** Resolves with the base of its URLs, such as `http://127.0.0.1:40123`. It runs until the process ends. */
export async function serveApp(app: { fetch: Fetch }): Promise<string> {
  const { Deno, Bun } = globalThis as unknown as Runtimes;
  const hostname = "127.0.0.1";
  const fetch: Fetch = (request) => app.fetch(request);
  let port: number;
  if (Deno) port = Deno.serve({ port: 0, hostname, onListen() {} }, fetch).addr.port;
  else if (Bun) port = Bun.serve({ port: 0, hostname, fetch }).port;
  else {
    port = await new Promise((resolve) => {
      serve({ fetch: app.fetch, port: 0, hostname }, (address: AddressInfo) => resolve(address.port));
    });
  }
  return `http://${hostname}:${port}`;
}
