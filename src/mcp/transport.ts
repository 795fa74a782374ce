/**
 * The endpoint `/mcp`: Streamable HTTP, with sessions and without.
 *
 * A client that sends `initialize` gets a session, as the MCP package's clients do. A POST of anything else without a
 * session is answered by itself, as plain JSON: what scripts and `curl` send; as a stream where it asks for progress. Host, Origin and token have been checked
 * before.
 *
 * @module
 */
import type { Context } from "hono";
import { BodyCutShort } from "../limits/read-up-to.ts";
import { requestRateMessage, retryAfter } from "../limits/request-rate.ts";
import type { Identity } from "../ports/call.ts";
import type { Cancel, Clock } from "../ports/clock.ts";
import { isJsonObject, type JsonValue } from "../protocol/json-value.ts";
import { readBody } from "./body.ts";
import type { Catalog } from "./catalog.ts";
import { refuseBadCall } from "./call-params.ts";
import { at, isEventStream, watched } from "./event-stream.ts";
import { failure, RPC, withoutDetails } from "./failure.ts";
import type { McpHost } from "./host.ts";
import type { McpServers } from "./mcp-server.ts";
import { type Session, type SessionBounds, Sessions } from "./sessions.ts";
import { checkToolNames } from "./tool-names.ts";
import type { Caller } from "./tool.ts";

export interface McpBounds extends SessionBounds {
  /** Largest body of a request. */
  readonly bodyBytes: number;
  /** A comment goes out on streams that often: proxies cut those that are quiet for a minute or so. */
  readonly keepAliveMs: number;
  /** Most messages in one body. */
  readonly batchMessages: number;
}

export const DEFAULT_MCP_BOUNDS: McpBounds = {
  sessions: 256,
  sessionIdleMs: 1_800_000,
  bodyBytes: 1_048_576,
  keepAliveMs: 15_000,
  batchMessages: 50,
};

export interface RequestFacts {
  readonly address?: string | null;
  readonly expiresAt?: number | null;
  readonly countFurther?: CountFurther;
}

/** Counts messages that came in one request beside the first. True, or the seconds until there may be as many. */
type CountFurther = (messages: number) => true | number;

/** A request on its way through the endpoint. */
interface Incoming {
  readonly identity: Identity;
  readonly expiresAt: number | null;
  /** Of the request as it came: that of a copy may be forgotten before it tells. */
  readonly signal: AbortSignal;
}

export interface McpEndpoint {
  /**
   * Answer a request of any method. Never rejects.
   *
   * @param more.address Where the request comes from; tells anonymous callers without a session apart. @default null
   * @param more.expiresAt When the caller's token expires, in wall-clock milliseconds: the moment at which a stream that
   * answers the request ends. @default null, for never
   * @param more.countFurther Holds the messages of a batch to the rate of requests. @default they are not counted
   */
  handle(context: Context, identity: Identity, more?: RequestFacts): Promise<Response>;
  /** Sessions that are open now, and their streams. */
  readonly counts: { readonly sessions: number; readonly streams: number };
  /** End all sessions and their streams; what comes later is refused. */
  close(): Promise<void>;
}

/**
 * @param catalog What is offered. @default what belongs to the host's contract
 * @throws {TypeError} where a request of the contract has the name of a tool that every service has.
 */
export function createMcpEndpoint(
  host: McpHost,
  bounds: Partial<McpBounds> = {},
  catalog?: Catalog,
): McpEndpoint {
  checkToolNames(host.contract);
  return new Endpoint(host, { ...DEFAULT_MCP_BOUNDS, ...bounds }, catalog);
}

class Endpoint implements McpEndpoint {
  readonly #host: McpHost;
  readonly #bounds: McpBounds;
  readonly #sessions: Sessions;
  readonly #catalog: Catalog | undefined;
  #servers: Promise<McpServers> | null = null;
  #closed = false;

  constructor(host: McpHost, bounds: McpBounds, catalog: Catalog | undefined) {
    this.#host = host;
    this.#bounds = bounds;
    this.#catalog = catalog;
    this.#sessions = new Sessions(host.clock, bounds);
  }

  get counts(): McpEndpoint["counts"] {
    return this.#sessions.counts;
  }

  async handle(context: Context, identity: Identity, more: RequestFacts = {}): Promise<Response> {
    const { address = null, expiresAt = null, countFurther = () => true } = more;
    const request = context.req.raw;
    try {
      const incoming = { identity, expiresAt, signal: request.signal };
      return await withoutDetails(await this.#answer(request, incoming, address, countFurther));
    } catch (error) {
      if (error instanceof BodyCutShort) {
        this.#host.log.debug("An MCP client ended before its request did");
        return failure(400, RPC.PARSE, "Parse error: the body did not come to its end");
      }
      const fault = crypto.randomUUID();
      this.#host.log.error("An MCP request failed", { fault, error });
      return failure(500, RPC.INTERNAL, `Internal error: the log explains it under ${fault}`);
    }
  }

  // deno-lint-ignore require-await
  async close(): Promise<void> {
    this.#closed = true;
    this.#sessions.endAll();
  }

  async #answer(
    request: Request,
    incoming: Incoming,
    address: string | null,
    countFurther: CountFurther,
  ): Promise<Response> {
    const { identity } = incoming;
    if (!/^(GET|POST|DELETE)$/.test(request.method)) {
      const allow = { Allow: "GET, POST, DELETE" };
      return failure(405, RPC.REFUSED, `Expected GET, POST or DELETE, got ${request.method}`, allow);
    }
    if (this.#closed) return this.#stopping();
    const id = request.headers.get("mcp-session-id");
    const session = id === null ? null : this.#sessions.find(id, identity);
    if (id !== null && session === null) {
      return failure(404, RPC.SESSION_NOT_FOUND, "Session not found: it has ended, initialize a new one");
    }
    if (request.method !== "POST") {
      if (session) return await this.#within(session, request, undefined, incoming);
      return failure(
        400,
        RPC.REFUSED,
        `Expected header Mcp-Session-Id with ${request.method}: initialize a session first`,
      );
    }
    const body = await readBody(request, this.#bounds.bodyBytes);
    if (!body.ok) return body.refusal;
    const refusal = refuseBadCall(body.value) ?? this.#refuseBatch(body.value, countFurther);
    if (refusal) return refusal;
    const post = acceptingBoth(request);
    if (session) return await this.#within(session, post, body.value, incoming);
    const servers = await this.#load();
    if (this.#closed) return this.#stopping();
    if (servers.isInitialize(body.value)) {
      return await this.#initialize(servers, post, body.value, incoming);
    }
    return await this.#once(servers, post, body.value, incoming, address);
  }

  /** The answer to a batch that is too large, or one too many; null for all else. */
  #refuseBatch(body: JsonValue, countFurther: CountFurther): Response | null {
    if (!Array.isArray(body)) return null;
    const { batchMessages } = this.#bounds;
    if (body.length > batchMessages) {
      const message =
        `Expected at most ${batchMessages} messages in a batch, got ${body.length}: send fewer at once`;
      return failure(400, RPC.INVALID_REQUEST, message);
    }
    const wait = countFurther(body.length - 1);
    if (wait === true) return null;
    return failure(429, RPC.REFUSED, requestRateMessage(wait), { "Retry-After": retryAfter(wait) });
  }

  /** A request without a session. What it began ends with its answer, or with its client. */
  async #once(
    servers: McpServers,
    post: Request,
    body: JsonValue,
    { identity, expiresAt, signal }: Incoming,
    address: string | null,
  ): Promise<Response> {
    const server = await servers.open({ sessionId: null, plain: !wantsProgress(post, body) });
    const leave = () => server.close();
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { once: true });
    let forget: Cancel = () => {};
    const expired = new Promise<null>((resolve) => {
      if (expiresAt !== null) forget = at(this.#host.clock, expiresAt, () => resolve(null));
    });
    const over = () => {
      signal.removeEventListener("abort", leave);
      forget();
      server.close();
    };
    try {
      const answer = await Promise.race([server.handle(post, body, { identity, origin: address }), expired]);
      if (answer && isEventStream(answer.response)) {
        forget();
        return watched(answer.response, signal, this.#until(expiresAt), over);
      }
      over();
      return answer?.response ?? failure(401, RPC.REFUSED, "The token expired before the answer was there");
    } catch (error) {
      over();
      throw error;
    }
  }

  #until(expiresAt: number | null): { readonly clock: Clock; readonly expiresAt: number } | null {
    return expiresAt === null ? null : { clock: this.#host.clock, expiresAt };
  }

  async #initialize(
    servers: McpServers,
    post: Request,
    body: unknown,
    incoming: Incoming,
  ): Promise<Response> {
    const id = crypto.randomUUID();
    const server = await servers.open({ sessionId: id, ended: () => session && this.#sessions.end(session) });
    const session = this.#closed ? null : this.#sessions.add(id, incoming.identity, server);
    if (!session) {
      server.close();
      if (this.#closed) return this.#stopping();
      const message = `All ${this.#bounds.sessions} sessions are in use: try again later`;
      return failure(503, RPC.REFUSED, message, { "Retry-After": "10" });
    }
    const response = await this.#within(session, post, body, incoming);
    if (!response.ok) this.#sessions.end(session);
    return response;
  }

  async #within(
    session: Session,
    request: Request,
    body: unknown,
    { identity, expiresAt, signal }: Incoming,
  ): Promise<Response> {
    const caller: Caller = { identity, origin: `session ${session.id}` };
    const { response, first } = await session.server.handle(request, body, caller);
    if (!isEventStream(response)) return response;
    session.streams++;
    const ended = () => {
      session.streams--;
      this.#sessions.used(session);
    };
    return watched(response, signal, this.#until(expiresAt), ended, first);
  }

  #stopping(): Response {
    return failure(503, RPC.REFUSED, "The server is stopping: try again in a moment", { "Retry-After": "1" });
  }

  /** The MCP package takes longer to load than all the rest of a server: it is loaded when somebody asks. */
  #load(): Promise<McpServers> {
    this.#servers ??= import("./mcp-server.ts").then(({ createMcpServers }) =>
      createMcpServers(this.#host, { catalog: this.#catalog, keepAliveMs: this.#bounds.keepAliveMs })
    );
    this.#servers.catch(() => this.#servers = null);
    return this.#servers;
  }
}

/** Progress comes on a stream, so only who takes streams can be told of it. */
function wantsProgress({ headers }: Request, body: JsonValue): boolean {
  if (!headers.get("accept")?.includes("text/event-stream") || !isJsonObject(body)) return false;
  const { params = null } = body;
  if (!isJsonObject(params)) return false;
  const { _meta: meta = null } = params;
  return isJsonObject(meta) && meta.progressToken !== undefined;
}

/** A client that takes anything, or does not say what, takes JSON and event streams: the MCP package wants both named. */
function acceptingBoth(request: Request): Request {
  const accept = request.headers.get("accept");
  if (accept !== null && !accept.includes("*/*")) return request;
  const headers = new Headers(request.headers);
  headers.set("Accept", "application/json, text/event-stream");
  return new Request(request.url, { method: "POST", headers });
}
