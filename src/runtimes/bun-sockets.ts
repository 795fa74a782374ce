/**
 * Sockets of Bun, by Hono's helper of `hono/bun`. That helper makes a new context for every event and knows neither
 * ping nor pong, so what belongs to a socket lies in the events object, which Bun keeps with it.
 *
 * @module
 */
import type { Context } from "hono";
import { createBunWebSocket } from "hono/bun";
import type { WSContext, WSEvents } from "hono/ws";
import type { Log } from "../ports/log.ts";
import type { PortLimits } from "../ports/port-limits.ts";
import type { Accept, Batch, Socket } from "../ports/socket.ts";
import { closeReason } from "../protocol/close-codes.ts";
import { sendableCode } from "./close-frame.ts";
import { ReaderGuard } from "./reader-guard.ts";
import { refusal } from "./upgrade-request.ts";

/** What is used of Bun's ServerWebSocket. */
export interface BunWebSocket {
  readonly data: { readonly events: BunConnection };
  readonly readyState: number;
  readonly remoteAddress: string;
  /** Bytes sent; -1 where they were queued, 0 where they were dropped. */
  send(data: string): number;
  cork(work: () => void): void;
  ping(): void;
  close(code: number, reason: string): void;
  terminate(): void;
  getBufferedAmount(): number;
  pause(): void;
  resume(): void;
}

/** For `Bun.serve({ websocket })`. */
export interface BunWebSocketHandlers {
  open(socket: BunWebSocket): void;
  message(socket: BunWebSocket, data: string | Uint8Array): void;
  close(socket: BunWebSocket, code: number, reason: string): void;
  ping(socket: BunWebSocket): void;
  pong(socket: BunWebSocket): void;
  readonly maxPayloadLength: number;
  readonly backpressureLimit: number;
  readonly idleTimeout: number;
}

/** Past it Bun drops frames silently. The outbox above judges long before; a drop ends the connection. */
const BACKPRESSURE_LIMIT = 268_435_456;

/** What Bun says of a connection that it has ended for a message over the limit. */
const TOO_LARGE = "Received too big message";

const OPEN = 1;

const { upgradeWebSocket, websocket } = createBunWebSocket();

/** The handlers of one `Bun.serve`. The heartbeat is the connection's own, so Bun's idle timeout is off. */
export function bunHandlers(
  maxMessageBytes: number,
  reached?: PortLimits["reached"],
): BunWebSocketHandlers {
  const handlers = websocket as unknown as Pick<BunWebSocketHandlers, "open" | "message" | "close">;
  return {
    ...handlers,
    close(socket, code, reason) {
      if (reason === TOO_LARGE) reached?.("message_bytes");
      handlers.close(socket, code, reason);
    },
    ping: alive,
    pong: alive,
    maxPayloadLength: maxMessageBytes,
    backpressureLimit: BACKPRESSURE_LIMIT,
    idleTimeout: 0,
  };
}

function alive(socket: BunWebSocket): void {
  socket.data.events.reader?.alive();
}

/** See `Runtime.upgrade`. */
export async function upgradeByBun(context: Context, accept: Accept, log: Log): Promise<Response> {
  try {
    return await upgradeWebSocket(context, new BunConnection(accept, log) as WSEvents);
  } catch (error) {
    if (!(error instanceof Error) || error.message !== "Failed to upgrade WebSocket") throw error;
    return refusal(400, "Expected a WebSocket handshake");
  }
}

/** The events of one socket, as Hono calls them. */
class BunConnection {
  readonly #accept: Accept;
  readonly #log: Log;
  reader: ReaderGuard | undefined;

  constructor(accept: Accept, log: Log) {
    this.#accept = accept;
    this.#log = log;
  }

  onOpen(_event: unknown, { raw }: WSContext): void {
    this.reader = new ReaderGuard(this.#accept, new BunSocket(raw as BunWebSocket), this.#log);
  }

  onMessage({ data }: { data: unknown }): void {
    this.reader?.message(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer));
  }

  onClose({ code, reason }: { code: number; reason: string }): void {
    this.reader?.closed(code || 1006, reason);
  }
}

class BunSocket implements Socket {
  readonly remoteAddress: string | null;
  readonly #raw: BunWebSocket;
  /** Whether the operating system may have left something, so that Bun has to be asked how much. */
  #mayWait = false;

  constructor(raw: BunWebSocket) {
    this.#raw = raw;
    this.remoteAddress = raw.remoteAddress || null;
  }

  write(batch: Batch): void {
    const raw = this.#raw;
    dropped = false;
    if (batch.count === 1) {
      const { text } = batch.frame;
      const sent = raw.send(text);
      if (sent <= 0) this.#mayWait = !(dropped = isDropped(sent, text));
    } else {
      this.#mayWait = true;
      corked = raw;
      corkedTexts = textsOf(batch);
      raw.cork(sendCorked);
    }
    // A hole in the stream is worse than an end, which the client knows how to mend.
    if (dropped && raw.readyState === OPEN) raw.terminate();
  }

  buffered(): number {
    if (!this.#mayWait) return 0;
    const bytes = this.#raw.readyState === OPEN ? this.#raw.getBufferedAmount() : 0;
    this.#mayWait = bytes > 0;
    return bytes;
  }

  ping(): boolean {
    if (this.#raw.readyState === OPEN) this.#raw.ping();
    return true;
  }

  close(code: number, reason: string): void {
    if (this.#raw.readyState !== OPEN) return;
    this.#raw.close(sendableCode(code), closeReason(reason));
  }

  terminate(): void {
    this.#raw.terminate();
  }

  pause(): void {
    if (this.#raw.readyState === OPEN) this.#raw.pause();
  }

  resume(): void {
    if (this.#raw.readyState === OPEN) this.#raw.resume();
  }
}

/** What `sendCorked` works on: a function for each write would cost more than the write itself. */
let corked: BunWebSocket;
let corkedTexts: readonly string[];
let dropped = false;

function sendCorked(): void {
  for (const text of corkedTexts) if (isDropped(corked.send(text), text)) dropped = true;
}

/** Bun says 0 of a text that it has dropped, of any on a socket that is closed, and where there was nothing to send. */
function isDropped(sent: number, text: string): boolean {
  return sent === 0 && text !== "";
}

/** Made once for all sockets that get the batch. */
function textsOf(batch: Batch): readonly string[] {
  return (batch.wire ??= batch.frames.map(({ text }) => text)) as readonly string[];
}
