/**
 * Deno's own server and WebSocket, by Hono's helper for runtimes (`hono/ws`). `hono/deno` is not used: it answers 404
 * to `Upgrade: WebSocket`, 500 to the subprotocols `a,b`, and lets a reader's fault end the process.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Context } from "hono";
import { defineWebSocketHelper, WSContext } from "hono/ws";
import type { Log } from "../ports/log.ts";
import type { Listener, ListenOptions } from "../ports/runtime.ts";
import type { Accept, Batch, Socket } from "../ports/socket.ts";
import { CLOSE_CODES, closeReason } from "../protocol/close-codes.ts";
import { sendableCode } from "./close-frame.ts";
import { checkPort, listenError, MAX_MESSAGE_BYTES } from "./listening.ts";
import { ReaderGuard } from "./reader-guard.ts";
import { firstSubprotocol, refusal } from "./upgrade-request.ts";

interface DenoServer {
  readonly addr: { readonly hostname: string; readonly port: number };
  readonly finished: Promise<void>;
}

interface RequestInfo {
  readonly remoteAddr: { readonly hostname?: string };
  /** Settles when the response is out, or the peer gone. */
  readonly completed: Promise<void>;
}

declare const Deno: {
  serve(
    options: {
      hostname: string;
      port: number;
      signal: AbortSignal;
      onListen(): void;
      onError(error: unknown): Response;
    },
    handler: (request: Request, info: RequestInfo) => Response | Promise<Response>,
  ): DenoServer;
  upgradeWebSocket(
    request: Request,
    options: { idleTimeout: number },
  ): { socket: WebSocket; response: Response };
};

/** Deno pings after half of it and closes at its end. As long as the heartbeat elsewhere: 25 s and 20 s. */
const IDLE_TIMEOUT_SECONDS = 45;

/** Where `listenByDeno` tells `upgradeByDeno` its listener's limit. */
const LIMIT = Symbol("maxMessageBytes");

/**
 * See `Runtime.listen`; but throws at once. While it closes, the port still takes connections and answers them with
 * 503: what `shutdown` of Deno 2.9 has begun, nothing can cut any more.
 */
export function listenByDeno(options: ListenOptions, log: Log): Listener {
  const { app, host, port, maxMessageBytes = MAX_MESSAGE_BYTES, tls } = options;
  checkPort(host, port);
  if (tls) {
    // It would speak HTTP/2 where a client offers it, and cannot ask for a client's certificate.
    throw listenError(host, port, new Error('TLS is there with denoRuntime({ sockets: "node" }) only'));
  }
  const cut = new AbortController();
  const underWay = new Set<Promise<void>>();
  let closing: Promise<void> | undefined;
  const handle = (request: Request, { remoteAddr, completed }: RequestInfo): Response | Promise<Response> => {
    if (closing) return refusal(503, "This server is stopping", { connection: "close" });
    if (!request.headers.has("upgrade")) {
      const done: Promise<void> = completed.catch(() => {}).then(() => void underWay.delete(done));
      underWay.add(done);
    }
    return app.fetch(request, { remoteAddr, [LIMIT]: maxMessageBytes });
  };
  const onError = (error: unknown): Response => {
    log.error("A request failed", { error });
    return new Response(null, { status: 500 });
  };
  let server: DenoServer;
  try {
    server = Deno.serve({ hostname: host, port, signal: cut.signal, onListen() {}, onError }, handle);
  } catch (cause) {
    throw listenError(host, port, cause);
  }
  const close = async (graceMs: number): Promise<void> => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const grace = new Promise((resolve) => timer = setTimeout(resolve, graceMs));
    await Promise.race([Promise.all(underWay), grace]);
    clearTimeout(timer);
    cut.abort();
    await server.finished;
  };
  return { host, port: server.addr.port, close: (graceMs) => (closing ??= close(graceMs)) };
}

/** See `Runtime.upgrade`. */
export function upgradeByDeno(
  context: Context,
  accept: Accept,
  options: { maxMessageBytes: number; log: Log },
): Promise<Response> {
  const maxMessageBytes = context.env?.[LIMIT] ?? options.maxMessageBytes;
  const remoteAddress: string | null = context.env?.remoteAddr?.hostname ?? null;
  let socket: DenoSocket;
  return upgradeWebSocket(context, {
    onOpen(_event, { raw }) {
      if (raw) socket = new DenoSocket(raw, remoteAddress, maxMessageBytes, accept, options.log);
    },
    onMessage: ({ data }) => socket.receive(data as string | ArrayBuffer),
    onClose: ({ code, reason, wasClean }) => socket?.end(wasClean && code !== 0 ? code : 1006, reason),
  });
}

const upgradeWebSocket = defineWebSocketHelper<WebSocket>((context, events) => {
  let upgraded: { socket: WebSocket; response: Response };
  const request = context.req.raw;
  // Deno takes a request's headers away when it is upgraded; a middleware or a reader may still ask for them.
  context.req.raw = new Request(request.url, { headers: request.headers });
  try {
    // The subprotocol is not given here, since Deno would look for it in a list that must be divided by ", ".
    upgraded = Deno.upgradeWebSocket(request, { idleTimeout: IDLE_TIMEOUT_SECONDS });
  } catch {
    return refusal(400, "Expected a WebSocket handshake");
  }
  const { socket: raw, response } = upgraded;
  const protocol = firstSubprotocol(context);
  if (protocol) response.headers.set("sec-websocket-protocol", protocol);
  raw.binaryType = "arraybuffer";
  const handle = new WSContext<WebSocket>({
    raw,
    protocol,
    url: context.req.url,
    get readyState() {
      return raw.readyState as WSContext["readyState"];
    },
    send: (data) => raw.send(data),
    close: (code, reason) => raw.close(code, reason),
  });
  raw.onopen = (event) => events.onOpen?.(event, handle);
  raw.onmessage = (event) => events.onMessage?.(event, handle);
  raw.onclose = (event) => events.onClose?.(event, handle);
  // Without a listener the error would be thrown; 'close' follows it.
  raw.onerror = () => {};
  return response;
});

class DenoSocket implements Socket {
  readonly remoteAddress: string | null;
  readonly #raw: WebSocket;
  readonly #maxMessageBytes: number;
  readonly #reader: ReaderGuard;
  /** True when nothing goes in or out any more, whatever Deno still holds. */
  #over = false;

  constructor(
    raw: WebSocket,
    remoteAddress: string | null,
    maxMessageBytes: number,
    accept: Accept,
    log: Log,
  ) {
    this.#raw = raw;
    this.remoteAddress = remoteAddress;
    this.#maxMessageBytes = maxMessageBytes;
    this.#reader = new ReaderGuard(accept, this, log);
  }

  receive(data: string | ArrayBuffer): void {
    if (this.#over) return;
    const bytes = typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
    if (bytes > this.#maxMessageBytes) {
      this.#over = true;
      this.close(CLOSE_CODES.TOO_LARGE.code, "");
      return;
    }
    this.#reader.message(typeof data === "string" ? data : new Uint8Array(data));
  }

  end(code: number, reason: string): void {
    this.#over = true;
    this.#reader.closed(code, reason);
  }

  write(batch: Batch): void {
    for (const frame of batch.frames) {
      if (this.#over || this.#raw.readyState !== WebSocket.OPEN) return;
      this.#raw.send(frame.text);
    }
  }

  buffered(): number {
    return this.#raw.bufferedAmount;
  }

  ping(): boolean {
    return false;
  }

  close(code: number, reason: string): void {
    if (this.#raw.readyState === WebSocket.OPEN) this.#raw.close(sendableCode(code), closeReason(reason));
  }

  terminate(): void {
    if (this.#over) return;
    this.#over = true;
    this.#raw.close();
    queueMicrotask(() => this.#reader.closed(1006, ""));
  }

  pause(): void {}

  resume(): void {}
}
