/**
 * One call of a request: who asks, and under which idempotency key. A handler hands it on to `commit`, so that the
 * answer is remembered in the same transaction as the change, and so that the answer reaches the caller before the
 * events that the call has caused.
 *
 * @module
 */

/** Who a caller is, as far as anybody has proved. */
export interface Identity {
  readonly userId: string | null;
  readonly permissions: readonly string[];
  readonly authenticated: boolean;
}

export const ANONYMOUS: Identity = { userId: null, permissions: [], authenticated: false };

/** An idempotency key in its scope, with a digest of the data that came with it. */
export interface Once {
  /** Principal, or connection for anonymous callers, and the request's name. */
  readonly scope: string;
  readonly key: string;
  /** The same key with another digest is a CONFLICT. */
  readonly digest: string;
}

export interface Call {
  readonly identity: Identity;
  readonly door: "websocket" | "http" | "mcp" | "local";
  /** The connection that asked; null for other doors. */
  readonly connectionId: string | null;
  /** Identity of this call; events that its commit causes carry it to the hub and no further. */
  readonly cause: symbol;
  readonly once: Once | null;
  /** Trace context that came with the request: see `readTraceparent`. Events that it causes carry it on. */
  readonly traceparent?: string | undefined;
  /** Set by `commit` when the answer was stored with the change. */
  remembered: boolean;
}

/** A call by the service itself. */
export function localCall(): Call {
  return {
    identity: { userId: null, permissions: ["admin"], authenticated: true },
    door: "local",
    connectionId: null,
    cause: Symbol("local call"),
    once: null,
    remembered: false,
  };
}

/**
 * For what a request has set going and the service does later: its events carry the request's trace context.
 *
 * @returns undefined where the request had none.
 */
export function laterCall(traceparent: string | undefined): Call | undefined {
  return traceparent === undefined ? undefined : { ...localCall(), traceparent };
}
