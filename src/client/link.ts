/**
 * The way to the server: one WebSocket after another, for as long as the server can be expected to come back.
 *
 * @module
 */
import type { Cancel, Clock } from "../ports/clock.ts";
import { shouldReconnect } from "../protocol/close-codes.ts";
import { ClientError, errorOf } from "./errors.ts";
import {
  type InboundFrame,
  type JsonCodec,
  MAX_FRAME_BYTES,
  newId,
  parseFrame,
  requestFrame,
} from "./frames.ts";

/** A browser's WebSocket, as far as the client uses it. That of the package `ws` fits, too. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  /** End without the server's consent. `ws` and Bun have it. */
  terminate?(): void;
}

/** How long a server may take to agree to the end, before that is forced. */
const CLOSE_MS = 2_000;

export type WebSocketClass = new (url: string, protocols?: string[]) => WebSocketLike;

/** A token, or where to get one: asked again for each connection. */
export type TokenSource = string | (() => string | null | Promise<string | null>);

export interface LinkOptions {
  readonly url: string;
  readonly WebSocket: WebSocketClass;
  readonly protocol: string | undefined;
  readonly token: TokenSource | undefined;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  readonly silenceMs: number;
  readonly answerMs: number;
  readonly clock: Clock;
  readonly json: JsonCodec;
  /** At least 0 and below 1. */
  readonly random: () => number;
  /** Frames may be sent from here on. */
  readonly onOpen: () => void;
  /** @param size characters of the frame */
  readonly onFrame: (frame: InboundFrame, size: number) => void;
  /** No connection any more; another one is being tried. `why` is null where nobody has said so. */
  readonly onLost: (why: string | null) => void;
  /** The server does not want this client back. */
  readonly onEnd: (why: string) => void;
  /** A token could not be got, or was refused by a server that goes on all the same; or it sends what is no frame. */
  readonly onError: (error: unknown) => void;
}

export class Link {
  readonly #options: LinkOptions;
  readonly #shownUrl: string;
  #socket: WebSocketLike | null = null;
  /** Whether the socket is open. */
  #isOpen = false;
  #isOver = false;
  #attempts = 0;
  /** Monotonic milliseconds; null while the connection is being made. */
  #openedAt: number | null = null;
  /** Monotonic milliseconds of the last sign of life. */
  #heardAt = 0;
  #pingedAt: number | null = null;
  #authId: string | null = null;
  /** What was told last of a connection that could not be made. */
  #trouble = "";
  /** Why the connection breaks, where this side knows. */
  #fault: string | null = null;
  /** Of every ping: whatever is said to it is news to nobody. */
  readonly #pingId = newId();
  #cancelRetry: Cancel = () => {};
  #stopWatching: Cancel = () => {};

  constructor(options: LinkOptions) {
    this.#options = options;
    // A query may hold a secret.
    this.#shownUrl = options.url.replace(/\/\/[^/?#]*@/, "//").replace(/[?#].*/s, "");
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  start(): void {
    const { clock, silenceMs, answerMs } = this.#options;
    this.#stopWatching = clock.every(Math.min(silenceMs, answerMs) / 4, () => this.#watch());
    this.#connect();
  }

  send(text: string): void {
    if (this.#isOpen) this.#socket!.send(text);
  }

  /** End the connection, and make no other. */
  close(): void {
    this.#isOver = true;
    this.#cancelRetry();
    this.#stopWatching();
    this.#drop(1000);
  }

  async #connect(): Promise<void> {
    const { url, protocol, WebSocket, token, clock, onError } = this.#options;
    this.#openedAt = null;
    let given: string | null;
    let socket: WebSocketLike;
    try {
      given = typeof token === "function" ? await token() : token ?? null;
      if (this.#isOver) return;
      this.#heardAt = clock.monotonic();
      socket = this.#socket = new WebSocket(url, protocol === undefined ? undefined : [protocol]);
    } catch (error) {
      // Not before whoever made the client has it.
      await null;
      if (!this.#isOver) this.#retry();
      onError(error);
      return;
    }
    socket.onopen = () => this.#opened(given);
    socket.onmessage = ({ data }: { data: unknown }) => this.#received(data);
    // Deno says 0 for a connection that was lost, and for one that could not be made.
    socket.onclose = ({ code, reason }: { code: number; reason: string }) =>
      this.#closed(code || 1006, reason);
    // The close follows. Without a listener the one of `ws` throws; browsers do not say what it was.
    socket.onerror = ({ message }: { message?: string }) => this.#troubled(message);
  }

  /** Told once for as long as it is the same. */
  #troubled(cause?: string): void {
    if (this.#openedAt !== null) {
      this.#fault = cause ? `The connection broke: ${cause}` : null;
      return;
    }
    const message = `Cannot connect to ${this.#shownUrl}${cause ? `: ${cause}` : ""}; trying again`;
    if (message === this.#trouble) return;
    this.#trouble = message;
    this.#options.onError(new ClientError("unreachable", message));
  }

  #opened(token: string | null): void {
    this.#isOpen = true;
    this.#trouble = "";
    this.#fault = null;
    this.#openedAt = this.#heardAt = this.#options.clock.monotonic();
    this.#pingedAt = null;
    // Its answer need not be awaited: servers take frames in order.
    if (token !== null) {
      this.send(requestFrame(this.#options.json, this.#authId = newId(), "auth", { token }));
    }
    this.#options.onOpen();
  }

  #received(message: unknown): void {
    this.#heardAt = this.#options.clock.monotonic();
    this.#pingedAt = null;
    const { length } = message as string;
    if (length > MAX_FRAME_BYTES) return this.#refuse(length);
    const frame = parseFrame(message, this.#options.json);
    if (!frame) {
      return this.#options.onError(new ClientError("malformed", "The server sends what is no frame"));
    }
    if (frame.correlation_id === this.#pingId) return;
    if (this.#authId !== null && frame.correlation_id === this.#authId) {
      if (frame.type === "error") this.#options.onError(errorOf(frame));
      this.#authId = null;
    } else this.#options.onFrame(frame, length);
  }

  /** What it holds is lost with the connection: over the next one a server that can brings it again, or tells a gap. */
  #refuse(size: number): void {
    const message = `The server sends ${size} characters, at most ${MAX_FRAME_BYTES} are taken`;
    this.#options.onError(new ClientError("malformed", message));
    if (!this.#isOpen) return;
    this.#drop();
    this.#retry(message);
  }

  #closed(code: number, reason: string): void {
    this.#socket = null;
    this.#isOpen = false;
    const why = `The server has ended the connection with ${code}${reason && `: ${reason}`}`;
    // Nobody has said 1006.
    if (shouldReconnect(code)) return this.#retry(code === 1006 ? this.#fault : why);
    this.#isOver = true;
    this.#stopWatching();
    this.#options.onEnd(why);
  }

  /**
   * Full jitter: clients that a server has lost together do not come back together. A server that takes a client only to
   * send it away is tried less and less often, too.
   */
  #retry(why: string | null = null): void {
    const { clock, random, minDelayMs, maxDelayMs, answerMs, onLost } = this.#options;
    if (this.#openedAt !== null && clock.monotonic() - this.#openedAt >= answerMs) this.#attempts = 0;
    const delayMs = random() * Math.min(maxDelayMs, minDelayMs * 2 ** this.#attempts++);
    this.#cancelRetry = clock.after(delayMs, () => void this.#connect());
    onLost(why);
  }

  /** Have nothing more to do with the socket. */
  #drop(code?: number): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#isOpen = false;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // `ws` would hold the process for 30 s where the server says nothing any more, and Bun for good.
    if (socket.terminate) {
      socket.onclose = this.#options.clock.after(CLOSE_MS, () => socket.terminate!());
    }
    try {
      socket.close(code);
    } catch {
      // It never came so far that it could be closed.
    }
  }

  /** Notice a connection that is dead without having been closed. */
  #watch(): void {
    if (!this.#socket) return;
    const { clock, silenceMs, answerMs } = this.#options;
    const now = clock.monotonic();
    const since = this.#isOpen ? this.#pingedAt : this.#heardAt;
    if (since !== null && now - since >= answerMs) {
      this.#troubled(`no answer in ${answerMs} ms`);
      this.#drop();
      this.#retry();
    } else if (this.#isOpen && this.#pingedAt === null && now - this.#heardAt >= silenceMs) {
      this.#pingedAt = now;
      // A server that does not know the request says so, which is as good an answer.
      this.send(requestFrame(this.#options.json, this.#pingId, "ping", {}));
    }
  }
}
