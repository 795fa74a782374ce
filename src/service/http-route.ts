/**
 * Routes that a service adds to its HTTP port, for what does not fit into a frame. They stand behind the same checks as
 * every request: Host and Origin, token, permission.
 *
 * @module
 */
import type { Identity } from "../ports/call.ts";
import type { Access } from "../protocol/contract.ts";
import type { JsonObject } from "../protocol/json.ts";

export interface RouteRequest {
  /** HEAD is asked of the routes of GET: their answer's body is not sent. */
  readonly method: "GET" | "HEAD" | "PUT";
  /** What stood in the path's places, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
  /** A header by its name in lower case. */
  header(name: string): string | undefined;
  /** Not read yet, and of any size: its reader sets the bound. */
  readonly body: ReadableStream<Uint8Array> | null;
  readonly identity: Identity;
  /** Who asks, where something is shared out: a user by its name, anybody else by the network that it comes from. */
  readonly caller: string;
  /** Aborted when the caller has gone away before all was answered. */
  readonly signal: AbortSignal;
}

export interface RouteAnswer {
  /** @default 200 */
  readonly status?: 200 | 201;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. A stream that is not sent is cancelled. Null: headers alone. */
  readonly body: JsonObject | ReadableStream<Uint8Array> | null;
}

/** `M` is the service's manager. */
export interface HttpRoute<M> {
  readonly method: "GET" | "PUT";
  /** Like `/api/things/:thing`. */
  readonly path: string;
  /** What the caller must hold. */
  readonly access: Access;
  /** May throw a `Refusal`, which is answered as it is to a request. Anything else is answered with SERVER_ERROR. */
  handle(manager: M, request: RouteRequest): Promise<RouteAnswer>;
}
