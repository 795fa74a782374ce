/**
 * The MCP sessions that are open: so many and no more, shared fairly among users, each its opener's own, ended when
 * nobody has used it for a while.
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
   * Keep a new session. Where there is no room, one of the user's goes who has most of them, so that nobody can take the
   * room of all others: the one that has been idle longest, and one with a stream under way only for a user who has fewer.
   *
   * @returns null where all are in use.
   */
  add(id: string, identity: Identity, server: OpenServer): Session | null {
    for (const session of this.#open.values()) if (this.#expired(session)) this.end(session);
    if (this.#open.size >= this.#bounds.sessions) {
      const leaving = this.#leaving(identity);
      if (!leaving) return null;
      this.end(leaving);
    }
    const session = { id, identity, server, streams: 0, usedAt: this.#clock.monotonic() };
    this.#open.set(id, session);
    return session;
  }

  /** The session that is to make room for one of this user's; undefined where none has to. */
  #leaving(identity: Identity): Session | undefined {
    const counts = new Map<string, number>();
    const countOf = (holder: Identity) => counts.get(nameOf(holder)) ?? 0;
    for (const { identity } of this.#open.values()) counts.set(nameOf(identity), countOf(identity) + 1);
    const own = countOf(identity);
    const [first] = [...this.#open.values()]
      .filter((session) => {
        const count = countOf(session.identity);
        if (session.streams > 0) return count > own + 1;
        return count > own || isSame(session.identity, identity);
      })
      .sort((a, b) =>
        countOf(b.identity) - countOf(a.identity) || Math.sign(a.streams) - Math.sign(b.streams) ||
        a.usedAt - b.usedAt
      );
    return first;
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

  /** Sessions that are not over, and their streams. */
  get counts(): { readonly sessions: number; readonly streams: number } {
    const open = [...this.#open.values()].filter((session) => !this.#expired(session));
    return { sessions: open.length, streams: open.reduce((sum, { streams }) => sum + streams, 0) };
  }

  endAll(): void {
    for (const session of this.#open.values()) this.end(session);
  }

  #expired({ streams, usedAt }: Session): boolean {
    return streams === 0 && this.#clock.monotonic() - usedAt >= this.#bounds.sessionIdleMs;
  }
}

function nameOf({ authenticated, userId }: Identity): string {
  return JSON.stringify([authenticated, userId]);
}

/** Permissions may change with a new token; the user may not. */
function isSame(a: Identity, b: Identity): boolean {
  return a.authenticated === b.authenticated && a.userId === b.userId;
}
