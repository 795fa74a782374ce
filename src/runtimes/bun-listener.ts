/**
 * A port served by `Bun.serve`, from opening to closing.
 *
 * @module
 */
import type { Log } from "../ports/log.ts";
import { DEFAULT_PORT_LIMITS, type PortLimits } from "../ports/port-limits.ts";
import type { Listener, ListenOptions, PortTls } from "../ports/runtime.ts";
import { bunHandlers, type BunWebSocketHandlers } from "./bun-sockets.ts";
import { checkPort, listenError, MAX_MESSAGE_BYTES, TLS_1_2_SUITES } from "./listening.ts";
import { refusal } from "./upgrade-request.ts";

/** What is used of Bun's Server. It is what the app gets as `env`. */
export interface BunServer {
  readonly port: number;
  readonly pendingRequests: number;
  readonly pendingWebSockets: number;
  /** Seconds until the connection of this request ends where nothing comes or goes; 0 for never, at most 255. */
  timeout(request: Request, seconds: number): void;
  requestIP(request: Request): { readonly address: string } | null;
  stop(closeActiveConnections: boolean): Promise<void>;
}

interface BunTls {
  readonly cert: string;
  readonly key: string;
  readonly minVersion: number;
  readonly ciphers: string;
  readonly ca?: string;
  readonly requestCert?: boolean;
  readonly rejectUnauthorized?: boolean;
}

declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    idleTimeout: number;
    maxRequestBodySize: number;
    development: boolean;
    reusePort: boolean;
    tls?: BunTls;
    fetch(request: Request, server: BunServer): Response | Promise<Response>;
    error(error: unknown): Response;
    websocket: BunWebSocketHandlers;
  }): BunServer;
};

/** The longest that Bun allows. */
const MAX_TIMEOUT_SECONDS = 255;

/** As TLS writes it: 1.2. */
const TLS_1_2 = 0x0303;

/** How often a draining server looks whether anything is under way, and how often it must have found nothing. */
const IDLE_CHECK_MS = 50;
const QUIET_CHECKS = 4;

/** How long the body of a request that was refused is read on. */
const DRAIN_MS = 5_000;

/** See `Runtime.listen`; but throws at once. */
export function listenByBun(options: ListenOptions, log: Log): Listener {
  const { app, host, port, maxMessageBytes = MAX_MESSAGE_BYTES, tls } = options;
  const limits = { ...DEFAULT_PORT_LIMITS, ...options.limits };
  checkPort(host, port);
  let server: BunServer;
  try {
    server = Bun.serve({
      hostname: host,
      port,
      idleTimeout: timeoutSeconds(limits.idleSeconds),
      // Every route has a bound of its own; Bun's of 128 MiB would come before them.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      // Bun's page for developers would show the stack to everybody.
      development: false,
      // Bun 1.4 otherwise shares a port that is in use, without a word, when it is not in development.
      reusePort: false,
      ...(tls ? { tls: bunTls(tls) } : {}),
      async fetch(request, bun) {
        // Bun makes no full URL of a request without one, as HTTP/1.0 allows.
        if (!request.headers.get("host")) return refusal(400, "Expected a Host header");
        return readToEnd(request, await answerInTime(request, bun, app, limits));
      },
      error(error) {
        log.error("A request failed", { error });
        return new Response(null, { status: 500 });
      },
      websocket: bunHandlers(maxMessageBytes, limits.reached),
    });
  } catch (cause) {
    throw listenError(host, port, cause);
  }
  let closing: Promise<void> | undefined;
  return { host, port: server.port, close: (graceMs) => (closing ??= closeServer(server, graceMs)) };
}

/** As Bun takes it: 0 is that no time limit was set. */
function timeoutSeconds(seconds: number): number {
  return Math.min(seconds, MAX_TIMEOUT_SECONDS);
}

/**
 * Bun has one timeout for all that may be quiet. While a request comes and is answered it is that of the request, for
 * an event stream the longest, and then that of a connection which waits for a next request.
 */
async function answerInTime(
  request: Request,
  bun: BunServer,
  app: ListenOptions["app"],
  { requestSeconds, idleSeconds }: PortLimits,
): Promise<Response> {
  // What becomes a WebSocket has the heartbeat instead.
  if (request.headers.has("upgrade")) return app.fetch(request, bun);
  bun.timeout(request, timeoutSeconds(requestSeconds));
  const answer = await app.fetch(request, bun);
  const isStream = answer.headers.get("content-type")?.startsWith("text/event-stream") === true;
  bun.timeout(request, isStream ? MAX_TIMEOUT_SECONDS : timeoutSeconds(idleSeconds));
  return answer;
}

/** Bun speaks no HTTP/2 and ends a handshake that takes longer than about ten seconds. */
function bunTls({ cert, key, clientAuthorities }: PortTls): BunTls {
  return {
    cert,
    key,
    minVersion: TLS_1_2,
    ciphers: TLS_1_2_SUITES.join(":"),
    ...(clientAuthorities === undefined
      ? {}
      : { ca: clientAuthorities, requestCert: true, rejectUnauthorized: true }),
  };
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
  const cut = setTimeout(() => void server.stop(true), graceMs);
  // Bun 1.4 waits for a TLS connection that has not asked for anything yet. A browser opens some in advance.
  let quiet = 0;
  const idle = setInterval(() => {
    quiet = server.pendingRequests + server.pendingWebSockets === 0 ? quiet + 1 : 0;
    if (quiet >= QUIET_CHECKS) void server.stop(true);
  }, IDLE_CHECK_MS);
  await server.stop(false);
  clearInterval(idle);
  clearTimeout(cut);
}
