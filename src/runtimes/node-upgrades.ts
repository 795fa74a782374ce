/**
 * Upgrades of a `node:http` server by @hono/node-ws, behind a guard. The only file that imports @hono/node-ws: what
 * follows it (@hono/node-server 2 upgrades by itself) comes in here.
 *
 * The guard is there since node-ws 1.3, left alone, lets anybody end the process (a target that is no URL; a reset
 * while a middleware still waits), keeps every handshake that is refused late, and answers a refusal without its
 * headers.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { createNodeWebSocket, type NodeWebSocket } from "@hono/node-ws";
import type { Context, Hono } from "hono";
import type { Log } from "../ports/log.ts";
import { DEFAULT_PORT_LIMITS, type PortLimit, type PortLimits } from "../ports/port-limits.ts";
import type { FetchApp } from "../ports/runtime.ts";
import type { Accept } from "../ports/socket.ts";
import { MAX_MESSAGE_BYTES } from "./listening.ts";
import { NodeSocket, OPEN } from "./node-socket.ts";
import { ReaderGuard } from "./reader-guard.ts";
import { badNodeHandshake, refuse } from "./node-refusals.ts";

type WebSocketServer = NodeWebSocket["wss"];
type WebSocket = WebSocketServer["clients"] extends Set<infer Member> ? Member : never;
/** A WebSocket with its reader beside it, so that listeners are shared functions: there are very many of them. */
type ReadSocket = WebSocket & { [READER]: ReaderGuard };

const READER = Symbol("reader");

/** What is known of an upgrade request from its arrival to its answer. */
interface Upgrade {
  readonly app: FetchApp;
  readonly stream: Duplex;
  readonly limits: UpgradeLimits;
  /** Hears why `ws` ends a connection by itself. */
  readonly onError: (error: Error) => void;
  /** The application has called `upgrade`. */
  taken: boolean;
  opened: boolean;
}

/** Stops node-ws's own handling where the answer has been given already. */
const ANSWERED = Symbol("answered");

/** Given to node-ws for a connection that never came to be, so that it lets go of what it keeps for it. */
const NO_SOCKET = {
  readyState: 3,
  protocol: "",
  on() {},
  off() {},
  close() {},
  send() {},
} as unknown as WebSocket;

type UpgradeListener = (request: IncomingMessage, stream: Duplex, head: Buffer) => Promise<void>;

/** A server as far as upgrades go. */
export interface UpgradeSource {
  on(event: "upgrade", listener: (request: IncomingMessage, stream: Duplex, head: Buffer) => void): unknown;
}

/** What one message may be. */
export interface UpgradeLimits extends Pick<PortLimits, "fragments" | "reached"> {
  readonly maxMessageBytes: number;
}

export const DEFAULT_UPGRADE_LIMITS: UpgradeLimits = {
  maxMessageBytes: MAX_MESSAGE_BYTES,
  fragments: DEFAULT_PORT_LIMITS.fragments,
};

/** Errors of `ws` that are limits. */
const RECEIVER_LIMITS: Readonly<Record<string, PortLimit>> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: "message_bytes",
  WS_ERR_TOO_MANY_BUFFERED_PARTS: "fragments",
};

/** A frame that comes in smaller parts than this costs more to keep than it holds. */
const LEAST_READ_BYTES = 256;
const READS_PER_FRAGMENT = 16;

/** The options of `ws` for one connection. */
function receiverOptions({ maxMessageBytes, fragments }: UpgradeLimits = DEFAULT_UPGRADE_LIMITS): object {
  return {
    maxPayload: maxMessageBytes,
    maxFragments: fragments,
    maxBufferedChunks: fragments === 0
      ? 0
      : Math.max(READS_PER_FRAGMENT * fragments, Math.ceil(maxMessageBytes / LEAST_READ_BYTES)),
  };
}

export class NodeUpgrades {
  readonly #log: Log;
  readonly #nodeWs: NodeWebSocket;
  readonly #upgrades = new WeakMap<IncomingMessage, Upgrade>();
  #handle!: UpgradeListener;

  constructor(log: Log) {
    this.#log = log;
    provideErrorEvent();
    // One instance for all listeners: each upgrade is dispatched to the app of the server that it came to.
    const request = (_url: URL, init: RequestInit, env: { incoming: IncomingMessage }) =>
      this.#dispatch(env.incoming, init, env);
    this.#nodeWs = createNodeWebSocket({ app: { request } as unknown as Hono });
    this.#nodeWs.injectWebSocket(
      { on: (_event: string, listener: UpgradeListener) => void (this.#handle = listener) } as never,
    );
    const { wss } = this.#nodeWs;
    wss.options.perMessageDeflate = false;
    // Whoever listens keeps its connections by itself.
    (wss as { clients?: unknown }).clients = undefined;
    const handleUpgrade = wss.handleUpgrade.bind(wss);
    wss.handleUpgrade = (request, stream, head, done) => {
      // Read by `ws` before this call returns, so each listener has its own.
      Object.assign(wss.options, receiverOptions(this.#upgrades.get(request)?.limits));
      handleUpgrade(request, stream, head, done);
    };
    wss.on("connection", (ws: WebSocket, request: IncomingMessage) => {
      if (ws === NO_SOCKET) return;
      const upgrade = this.#upgrades.get(request);
      if (upgrade) upgrade.opened = true;
      // From here on `ws` listens to it.
      upgrade?.stream.off("error", destroyIt);
      // A protocol fault is followed by 'close', which is what a reader hears of.
      ws.on("error", upgrade?.onError ?? ignore);
    });
  }

  /** Take a server's upgrade requests to an app. */
  attach(server: UpgradeSource, app: FetchApp, limits: UpgradeLimits): void {
    const onError = (error: Error & { code?: string }) => {
      const limit = RECEIVER_LIMITS[error.code ?? ""];
      if (limit) limits.reached?.(limit);
    };
    server.on("upgrade", (request, stream, head) => {
      // A reset while the app still thinks is an 'error' that nobody else listens to.
      stream.on("error", destroyIt);
      const refusal = badNodeHandshake(request);
      if (refusal) return void refuse(stream, refusal);
      void this.#run({ app, stream, limits, onError, taken: false, opened: false }, request, head);
    });
  }

  /** Answer an upgrade request that one of the attached servers got. */
  upgrade(context: Context, accept: Accept): Promise<Response> {
    const incoming: IncomingMessage | undefined = context.env?.incoming;
    const upgrade = incoming && this.#upgrades.get(incoming);
    if (!upgrade) {
      throw new Error(
        "Cannot upgrade: this server's upgrade requests are not taken: call `attach(server, app)` once",
      );
    }
    upgrade.taken = true;
    const remoteAddress = incoming.socket.remoteAddress ?? null;
    return this.#nodeWs.upgradeWebSocket(context, {
      onOpen: (_event, { raw }) => {
        // No socket: the connection was gone before it was open.
        if (raw && raw.readyState === OPEN) {
          take(raw, new NodeSocket(raw, upgrade.stream, remoteAddress), accept, this.#log);
        }
      },
      // Only for messages that came before `onOpen`: `take` ends node-ws's own listening.
      onMessage: ({ data }, { raw }) => {
        (raw as ReadSocket)[READER]?.message(
          typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer),
        );
      },
    });
  }

  async #run(upgrade: Upgrade, request: IncomingMessage, head: Buffer): Promise<void> {
    this.#upgrades.set(request, upgrade);
    try {
      await this.#handle(request, upgrade.stream, head);
    } catch (error) {
      if (error !== ANSWERED) {
        this.#log.error("An upgrade request failed", { error });
        await refuse(upgrade.stream, new Response(null, { status: 500 }));
      }
    }
    // It is not asked for any more, and the map need not grow with the requests that wait to be collected.
    if (upgrade.opened) this.#upgrades.delete(request);
    // node-ws waits for a connection for ever; it hears of the one that did not come.
    else this.#nodeWs.wss.emit("connection", NO_SOCKET, request);
  }

  /** Ask the app. A response that is no upgrade goes out whole, with headers and body. */
  async #dispatch(incoming: IncomingMessage, init: RequestInit, env: unknown): Promise<Response> {
    const upgrade = this.#upgrades.get(incoming);
    if (!upgrade) throw new Error("Expected an upgrade request of an attached server");
    const scheme = (incoming.socket as { encrypted?: boolean }).encrypted ? "https" : "http";
    // Not resolved against the host: a path may begin with two slashes, and would name another one.
    const url = `${scheme}://${incoming.headers.host ?? "localhost"}${incoming.url ?? "/"}`;
    const headers = new Headers(init.headers);
    // node-ws leaves these out, and with them an Origin that is there and empty.
    for (const [name, value] of Object.entries(incoming.headers)) if (value === "") headers.set(name, "");
    const response = await upgrade.app.fetch(new Request(url, { ...init, headers }), env);
    if (upgrade.taken && response.status < 400) return response;
    await refuse(upgrade.stream, response);
    throw ANSWERED;
  }
}

/** Put our listeners in place of node-ws's, which hold the request and its context for as long as the socket lives. */
function take(ws: WebSocket, socket: NodeSocket, accept: Accept, log: Log): void {
  const kept = new Set<unknown>([...OBSERVED.flatMap((event) => ws.listeners(event)), onMessage, onClose]);
  ws.on("message", onMessage);
  ws.on("close", onClose);
  ws.on("ping", onAlive);
  ws.on("pong", onAlive);
  // node-ws adds its own as soon as this function has returned, before any event can come.
  queueMicrotask(() => {
    for (const event of OBSERVED) {
      for (const listener of ws.listeners(event)) {
        if (!kept.has(listener)) ws.off(event, listener as () => void);
      }
    }
  });
  (ws as ReadSocket)[READER] = new ReaderGuard(accept, socket, log);
}

const OBSERVED = ["message", "close", "error"] as const;

function onMessage(this: WebSocket, data: Uint8Array, isBinary: boolean): void {
  (this as ReadSocket)[READER].message(isBinary ? data : data.toString());
}

function onClose(this: WebSocket, code: number, reason: Uint8Array): void {
  (this as ReadSocket)[READER].closed(code, reason.toString());
}

function onAlive(this: WebSocket): void {
  (this as ReadSocket)[READER].alive();
}

function ignore(): void {}

function destroyIt(this: Duplex): void {
  this.destroy();
}

/** node-ws makes an `ErrorEvent` where a socket fails; Node has none. */
function provideErrorEvent(): void {
  const scope = globalThis as { ErrorEvent?: unknown };
  scope.ErrorEvent ??= class ErrorEvent extends Event {
    readonly error: unknown;
    constructor(type: string, init: { error?: unknown } = {}) {
      super(type);
      this.error = init.error;
    }
  };
}
