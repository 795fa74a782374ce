/**
 * The MCP sessions that are open: so many and no more, each its opener's own, ended when nobody has used it for a while.
 *
 * @module
 */
import type { Identity } from "../ports/call.ts";
import type { Clock } from "../ports/clock.ts";
import type { OpenServer } from "./mcp-server.ts";

/** One session. A client that comes back to one that is gone is told so, and opens another. */
export interface Session {
  readonly id: string;
  readonly identity: Identity;
  readonly server: OpenServer;
  /** Streams under way. */
  streams: number;
  /** Monotonic, milliseconds. */
  usedAt: number;
}

export interface SessionBounds {
  /** Sessions at one time. */
  readonly sessions: number;
  /** A session without a request or an open stream for so long is over. */
  readonly sessionIdleMs: number;
}

export class Sessions {
  readonly #clock: Clock;
  readonly #bounds: SessionBounds;
  readonly #open = new Map<string, Session>();

  constructor(clock: Clock, bounds: SessionBounds) {
    this.#clock = clock;
    this.#bounds = bounds;
  }

  /**
   * Keep a new session. Where there is no room, the one that has been idle longest goes; sessions with a stream under way
   * stay.
   *
   * @returns null where all are in use.
   */
  add(id: string, identity: Identity, server: OpenServer): Session | null {
    for (const session of this.#open.values()) if (this.#expired(session)) this.end(session);
    if (this.#open.size >= this.#bounds.sessions) {
      const [idlest] = [...this.#open.values()].filter(({ streams }) => streams === 0)
        .sort((a, b) => a.usedAt - b.usedAt);
      if (!idlest) return null;
      this.end(idlest);
    }
    const session = { id, identity, server, streams: 0, usedAt: this.#clock.monotonic() };
    this.#open.set(id, session);
    return session;
  }

  /** The session, where it is open and the caller is who opened it. */
  find(id: string, identity: Identity): Session | null {
    const session = this.#open.get(id);
    if (!session || !isSame(session.identity, identity)) return null;
    if (this.#expired(session)) {
      this.end(session);
      return null;
    }
    this.used(session);
    return session;
  }

  used(session: Session): void {
    session.usedAt = this.#clock.monotonic();
  }

  /** Close the session and its streams. */
  end(session: Session): void {
    this.#open.delete(session.id);
    session.server.close();
  }

  endAll(): void {
    for (const session of this.#open.values()) this.end(session);
  }

  #expired({ streams, usedAt }: Session): boolean {
    return streams === 0 && this.#clock.monotonic() - usedAt >= this.#bounds.sessionIdleMs;
  }
}

/** Permissions may change with a new token; the user may not. */
function isSame(a: Identity, b: Identity): boolean {
  return a.authenticated === b.authenticated && a.userId === b.userId;
}
