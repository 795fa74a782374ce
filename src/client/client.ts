/**
 * The client: one connection to one service, kept up as long as the server can be expected to be there.
 *
 * @module
 */
import { type Clock, wakefulClock } from "../ports/clock.ts";
import type { Contract } from "../protocol/contract.ts";
import { Calls, type Data } from "./calls.ts";
import { ChannelReader } from "./channel-reader.ts";
import { Desk } from "./desk.ts";
import { ClientError, errorOf } from "./errors.ts";
import { type InboundFrame, type JsonCodec, newId } from "./frames.ts";
import { Link, type TokenSource, type WebSocketClass } from "./link.ts";
import type { SubscribeOptions, Subscription } from "./subscription.ts";
import type {
  AskInput,
  AskName,
  AskOutput,
  ChannelName,
  EventsOf,
  ItemOf,
  KindOf,
  PublishableName,
  PublishData,
} from "./typed.ts";

/** `connecting`: there is no connection now, and one is being made. `closed`: there will be none any more. */
export type ClientState = "connecting" | "open" | "closed";

export interface ClientOptions {
  /** The service's WebSocket address, such as `ws://127.0.0.1:8688`. */
  readonly url: string | URL;
  /** Sent as the first frame of each connection. A function is asked for each, so that it can give a fresh one. */
  readonly token?: TokenSource;
  /** The one subprotocol to offer. Default: none. */
  readonly protocol?: string;
  /** Default: the runtime's own; on Node without one that of the package `ws`. */
  readonly WebSocket?: WebSocketClass;
  /** Milliseconds that a request may take, waiting for a connection included; 0 for no limit. @default 30_000 */
  readonly timeoutMs?: number;
  /** The first wait before another try is at most this long, in milliseconds; it doubles. @default 500 */
  readonly minDelayMs?: number;
  /** The longest wait before another try, in milliseconds. @default 20_000 */
  readonly maxDelayMs?: number;
  /** Silence after which the server is asked whether it is there, in milliseconds. @default 30_000 */
  readonly silenceMs?: number;
  /** Milliseconds for its answer, and for a connection to open, before another one is made. @default 10_000 */
  readonly answerMs?: number;
  /** Characters of requests that may wait to be sent or answered. @default 4_194_304 */
  readonly queueSize?: number;
  /**
   * The connection was opened, lost, or has ended for good. `error` says why it was lost or has ended, where that is not the
   * application's wish and is known: with the code and the reason of a server that has ended it.
   */
  readonly onState?: (state: ClientState, error: Error | null) => void;
  /**
   * Errors that belong to no request and to no subscription: a connection that cannot be made (told once while the cause is
   * the same), a token that was refused. Default: nothing is done.
   */
  readonly onError?: (error: unknown) => void;
  /** What the server says of itself when it greets: `server` is the service's name. Not every server greets. */
  readonly onWelcome?: (data: Data) => void;
  /**
   * Reads and writes frames. Default: `JSON`, which rounds integers outside ±(2^53 - 1) and cannot write a `bigint`.
   */
  readonly json?: JsonCodec;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** For the waits between tries: at least 0 and below 1. Default: `Math.random`. */
  readonly random?: () => number;
}

export interface RequestOptions {
  /** See `ClientOptions.timeoutMs`. */
  readonly timeoutMs?: number;
  /**
   * The request is done once for the key, however often it is sent. Default: a new UUID, so that the client repeats it
   * by itself where the connection is lost before the answer comes. Null: it is not repeated and leaves no record; where
   * the connection is lost, it rejects with a `ClientError` of reason `lost`. For what comes often and is worth little.
   */
  readonly idempotencyKey?: string | null;
  /**
   * W3C trace context that goes with the request, to be found in the server's log and in the events that it causes. A
   * malformed one is dropped by the server.
   */
  readonly traceparent?: string | undefined;
}

export class Client<C extends Contract = Contract> {
  readonly #options: ClientOptions;
  readonly #link: Link;
  readonly #calls: Calls;
  readonly #desk: Desk;
  #state: ClientState = "connecting";

  constructor(options: ClientOptions) {
    const WebSocket = options.WebSocket ?? (globalThis as { WebSocket?: WebSocketClass }).WebSocket;
    if (!WebSocket) {
      throw new TypeError("Cannot connect as this runtime has no WebSocket: pass one as option 'WebSocket'");
    }
    if (!/^wss?:\/\//i.test(String(options.url))) {
      throw new TypeError(`Expected an address that begins with ws:// or wss://, got '${options.url}'`);
    }
    this.#options = options;
    const { clock = wakefulClock, json = JSON } = options;
    this.#calls = new Calls(clock, json, options.queueSize ?? 4_194_304, (text) => this.#link.send(text));
    this.#desk = new Desk((...ask) => this.#calls.call(...ask));
    this.#link = new Link({
      url: String(options.url),
      WebSocket,
      protocol: options.protocol,
      token: options.token,
      minDelayMs: options.minDelayMs ?? 500,
      maxDelayMs: options.maxDelayMs ?? 20_000,
      silenceMs: options.silenceMs ?? 30_000,
      answerMs: options.answerMs ?? 10_000,
      clock,
      json,
      random: options.random ?? Math.random,
      onOpen: () => {
        this.#desk.opened();
        this.#calls.opened();
        this.#become("open", null);
      },
      onFrame: (frame, size) => this.#received(frame, size),
      onLost: (why) => {
        this.#desk.lost();
        this.#calls.lost();
        this.#become("connecting", why === null ? why : new ClientError("lost", why));
      },
      onEnd: (why) => this.#close(new ClientError("closed", why)),
      onError: (error) => options.onError?.(error),
    });
    this.#link.start();
  }

  get state(): ClientState {
    return this.#state;
  }

  /**
   * Listen to a channel, or to all channels of a kind (`session:*`), over every connection to come.
   *
   * @throws {TypeError} where the client listens to it already.
   * @throws {ClientError} where the client is closed.
   */
  subscribe<
    const Name extends ChannelName<C>,
    const E extends EventsOf<C, KindOf<C, Name>> = EventsOf<C, KindOf<C, Name>>,
  >(
    channel: Name,
    options: SubscribeOptions<E> = {},
  ): Subscription<ItemOf<C, KindOf<C, Name>, E>> {
    if (this.#state === "closed") {
      throw new ClientError("closed", `Cannot subscribe to ${channel}: the client is closed`);
    }
    const reader = new ChannelReader(channel, options, (changed) => this.#desk.changed(changed));
    this.#desk.add(reader);
    return reader as Subscription<never>;
  }

  /**
   * Ask the service for something. Waits for a connection where there is none.
   *
   * @throws {RequestError} the service's refusal.
   * @throws {ClientError} where there is no answer.
   */
  request<R extends AskName<C>>(
    name: R,
    data: AskInput<C, R>,
    options: RequestOptions = {},
  ): Promise<AskOutput<C, R>> {
    return this.#ask(name, data as Data, options, "request") as Promise<AskOutput<C, R>>;
  }

  /** Say that something happened, where the contract lets clients say it. Rejects as `request` does. */
  publish<E extends PublishableName<C>>(
    event: E,
    data: PublishData<C, E>,
    options: RequestOptions = {},
  ): Promise<Data> {
    return this.#ask("publish", { event, data }, options, "publish");
  }

  /** End the connection. Subscriptions end; requests without an answer are rejected. */
  close(): void {
    this.#link.close();
    this.#close(null);
  }

  #ask(
    name: string,
    data: Data,
    { idempotencyKey = newId(), timeoutMs = this.#options.timeoutMs ?? 30_000, traceparent }: RequestOptions,
    lane: "request" | "publish",
  ): Promise<Data> {
    if (this.#state === "closed") {
      return Promise.reject(new ClientError("closed", `Cannot send ${name}: the client is closed`));
    }
    return new Promise((resolve, reject) => {
      this.#calls.call(name, data, { timeoutMs, key: idempotencyKey, lane, traceparent }, (answer) => {
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      });
    });
  }

  #received(frame: InboundFrame, size: number): void {
    if (this.#calls.answer(frame, size)) return;
    const { type, event, room, data = {}, id, timestamp, seq, prev, epoch, traceparent } = frame;
    if (type === "event" && room && event && (prev !== undefined || epoch === undefined)) {
      const item = { type, channel: room, event, id: id ?? "", data, timestamp: timestamp ?? "" } as const;
      const trace = typeof traceparent === "string" ? { traceparent } : {};
      this.#desk.event({ ...item, seq, prev, epoch, ...trace }, size);
    } else if (type === "event" && !room) {
      this.#calls.publishWindow = data["publish_window"];
      // Servers of the Python layer greet by the name of an event that has another meaning, too.
      if (data["connection_id"]) this.#options.onWelcome?.(data);
    } else {
      this.#desk.told(frame);
      if (type === "error") this.#options.onError?.(errorOf(frame));
    }
  }

  #close(error: Error | null): void {
    if (this.#state === "closed") return;
    this.#desk.close(error);
    this.#calls.close(error?.message ?? "The client was closed");
    this.#become("closed", error);
  }

  #become(state: ClientState, error: Error | null): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onState?.(state, error);
  }
}

/**
 * Connect to a service. The type of its contract types everything:
 *
 * ```ts
 * import type { sessionBuddy } from "mcp-realtime/services/session-buddy/contract";
 * const client = createClient<typeof sessionBuddy>({ url: "ws://127.0.0.1:8688" });
 * for await (const item of client.subscribe("session:*")) console.log(item);
 * ```
 *
 * Never throws for want of a server: it tries until there is one.
 */
export function createClient<C extends Contract = Contract>(options: ClientOptions): Client<C> {
  return new Client(options);
}
