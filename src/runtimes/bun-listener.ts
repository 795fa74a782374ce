/**
 * A port served by `Bun.serve`, from opening to closing.
 *
 * @module
 */
import type { Log } from "../ports/log.ts";
import type { Listener, ListenOptions } from "../ports/runtime.ts";
import { bunHandlers, type BunWebSocketHandlers } from "./bun-sockets.ts";
import { checkPort, listenError, MAX_MESSAGE_BYTES } from "./listening.ts";
import { refusal } from "./upgrade-request.ts";

/** What is used of Bun's Server. It is what the app gets as `env`. */
export interface BunServer {
  readonly port: number;
  requestIP(request: Request): { readonly address: string } | null;
  stop(closeActiveConnections: boolean): Promise<void>;
}

declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    idleTimeout: number;
    maxRequestBodySize: number;
    development: boolean;
    reusePort: boolean;
    fetch(request: Request, server: BunServer): Response | Promise<Response>;
    error(error: unknown): Response;
    websocket: BunWebSocketHandlers;
  }): BunServer;
};

/** The longest that Bun allows; its default of 10 cuts event streams that are quiet. */
const HTTP_IDLE_TIMEOUT_SECONDS = 255;

/** How long the body of a request that was refused is read on. */
const DRAIN_MS = 5_000;

/** See `Runtime.listen`; but throws at once. */
export function listenByBun(options: ListenOptions, log: Log): Listener {
  const { app, host, port, maxMessageBytes = MAX_MESSAGE_BYTES } = options;
  checkPort(host, port);
  let server: BunServer;
  try {
    server = Bun.serve({
      hostname: host,
      port,
      idleTimeout: HTTP_IDLE_TIMEOUT_SECONDS,
      // Every route has a bound of its own; Bun's of 128 MiB would come before them.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      // Bun's page for developers would show the stack to everybody.
      development: false,
      // Bun 1.4 otherwise shares a port that is in use, without a word, when it is not in development.
      reusePort: false,
      async fetch(request, bun) {
        // Bun makes no full URL of a request without one, as HTTP/1.0 allows.
        if (!request.headers.get("host")) return refusal(400, "Expected a Host header");
        return readToEnd(request, await app.fetch(request, bun));
      },
      error(error) {
        log.error("A request failed", { error });
        return new Response(null, { status: 500 });
      },
      websocket: bunHandlers(maxMessageBytes),
    });
  } catch (cause) {
    throw listenError(host, port, cause);
  }
  let closing: Promise<void> | undefined;
  return { host, port: server.port, close: (graceMs) => (closing ??= closeServer(server, graceMs)) };
}

/**
 * An answer that closes its connection, handed on when the request's body has been read and thrown away, or has taken
 * too long: Bun closes at once, and a client that still sends would lose the answer.
 */
async function readToEnd(request: Request, answer: Response): Promise<Response> {
  if (answer.headers.get("connection") !== "close" || !request.body || request.body.locked) return answer;
  const reader = request.body.getReader();
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), DRAIN_MS);
  try {
    while (!(await reader.read()).done);
  } catch {
    // The client is gone.
  } finally {
    clearTimeout(timer);
  }
  return answer;
}

async function closeServer(server: BunServer, graceMs: number): Promise<void> {
  const timer = setTimeout(() => void server.stop(true), graceMs);
  await server.stop(false);
  clearTimeout(timer);
}
