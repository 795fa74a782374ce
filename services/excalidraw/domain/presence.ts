/**
 * Who is in which diagram. A join holds as long as its connection does; one without a connection, by HTTP or MCP, holds
 * for a lease that is renewed by what the user does. Joins are in the database, so that those whom a crash has cut off
 * are told to have left at the next start.
 *
 * The database alone says who is there; what memory knows (connections that are up, ends of leases) only decides who is
 * to go, and is mended by every sweep.
 *
 * @module
 */
import type { Cancel, Clock } from "../../../src/ports/clock.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import type { Transaction } from "../../../src/service/define-service.ts";
import type { ExcalidrawContract } from "../contract.ts";
import { type Join, type JoinKey, type Joins, NO_CONNECTION, type UserInfo } from "./joins.ts";
import type { ExcalidrawSettings } from "./settings.ts";
import { colorOf } from "./user-color.ts";

type Emit = Pick<Transaction<ExcalidrawContract>, "emit">;

export interface PresenceParts {
  readonly joins: Joins;
  readonly clock: Clock;
  readonly commit: (work: (transaction: Emit) => void) => void;
  readonly settings: Pick<
    ExcalidrawSettings,
    "users_per_diagram" | "joins_per_connection" | "joins" | "lease_seconds"
  >;
  /** A user is no longer in a diagram. */
  readonly onLeft: (join: JoinKey) => void;
  readonly onError: (error: unknown) => void;
}

/** Joins that one commit ends at most. */
const BATCH = 256;
/** Time between two looks at the leases, in milliseconds, unless leases are shorter. */
const SWEEP_MS = 5_000;

export class Presence {
  readonly #parts: PresenceParts;
  readonly #leaseMs: number;
  /** Connections that are up. */
  readonly #connected = new Set<string>();
  /** Ends of leases, by monotonic time; of joins whose connection is not up only. */
  readonly #ends = new Map<string, number>();
  #stopSweeping: Cancel | null = null;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
    this.#leaseMs = parts.settings.lease_seconds * 1_000;
  }

  /** Begin: whoever is left over from an earlier process has left. */
  start(): void {
    this.#leave(this.#parts.joins.all());
    const everyMs = Math.min(SWEEP_MS, this.#leaseMs / 4);
    this.#stopSweeping = this.#parts.clock.every(everyMs, () => {
      try {
        this.#sweep();
      } catch (error) {
        this.#parts.onError(error);
      }
    });
  }

  /** All have left, as their connections have. */
  stop(): void {
    this.#stopSweeping?.();
    this.#leave(this.#parts.joins.all());
  }

  connected(connectionId: string): void {
    this.#connected.add(connectionId);
  }

  isConnected(connectionId: string): boolean {
    return this.#connected.has(connectionId);
  }

  /** Whoever has joined on this connection leaves. Where that fails, the next sweeps see to it. */
  disconnected(connectionId: string): void {
    this.#connected.delete(connectionId);
    this.#leave(this.#parts.joins.byHolder(connectionId));
  }

  /**
   * Part of a commit.
   *
   * @returns the user as everybody is shown it, and whether anything is new.
   * @throws {Refusal} NOT_AVAILABLE, TOO_MANY_CHANNELS
   */
  join(
    transaction: Emit,
    key: JoinKey,
    given: { name?: string | null; color?: string | null },
  ): { user_info: UserInfo; isNew: boolean } {
    const { joins } = this.#parts;
    const { diagram_id, user_id } = key;
    const known = joins.of(key);
    const user_info = {
      name: given.name ?? known?.name ?? user_id,
      color: given.color ?? known?.color ?? colorOf(user_id),
    };
    const join = { ...key, ...user_info };
    const isShown = known !== undefined && known.name === join.name && known.color === join.color;
    const isJoined = joins.find(key) !== undefined;
    if (!isJoined) {
      this.#expectRoom(key, known !== undefined);
      joins.put(join);
    }
    if (!isShown) {
      joins.show(join);
      transaction.emit("user.joined", { diagram_id, user_id, user_info });
    }
    this.#lease(key);
    return { user_info, isNew: !isJoined || !isShown };
  }

  /** Part of a commit. False where the user has not joined here. */
  leave(transaction: Emit, key: JoinKey): boolean {
    const join = this.#parts.joins.find(key);
    if (!join) return false;
    this.#end(transaction, join);
    return true;
  }

  /** The user has done something: a lease that it has goes on. */
  renew(key: JoinKey): void {
    if (this.#ends.has(idOf(key))) this.#lease(key);
  }

  #expectRoom({ diagram_id, holder }: JoinKey, isThere: boolean): void {
    const { joins, settings } = this.#parts;
    const counts = joins.counts(holder, diagram_id);
    if (!isThere && counts.users >= settings.users_per_diagram) {
      throw new Refusal(
        "NOT_AVAILABLE",
        `${counts.users} users are in diagram '${diagram_id}', which is the most (setting users_per_diagram): ` +
          "try again later",
      );
    }
    if (holder !== NO_CONNECTION && counts.holder >= settings.joins_per_connection) {
      throw new Refusal(
        "TOO_MANY_CHANNELS",
        `This connection has joined ${counts.holder} times, which is the most (setting joins_per_connection): ` +
          "leave a diagram first",
      );
    }
    if (counts.total >= settings.joins) {
      throw new Refusal(
        "NOT_AVAILABLE",
        `${counts.total} users are in diagrams, which is the most (setting joins): try again later`,
      );
    }
  }

  #lease(key: JoinKey): void {
    if (this.#connected.has(key.holder)) return;
    this.#ends.set(idOf(key), this.#parts.clock.monotonic() + this.#leaseMs);
  }

  #end(transaction: Emit, join: Join): void {
    const { joins, onLeft } = this.#parts;
    const { diagram_id, user_id, name, color } = join;
    joins.remove(join);
    this.#ends.delete(idOf(join));
    if (joins.of(join)) return;
    transaction.emit("user.left", { diagram_id, user_id, user_info: { name, color } });
    onLeft(join);
  }

  #leave(leaving: readonly Join[]): void {
    for (let start = 0; start < leaving.length; start += BATCH) {
      this.#parts.commit((transaction) => {
        for (const join of leaving.slice(start, start + BATCH)) this.#end(transaction, join);
      });
    }
  }

  /** Let go of joins whose lease is over, and give a lease to those that nobody holds. */
  #sweep(): void {
    const { joins, clock } = this.#parts;
    const now = clock.monotonic();
    const unheld = joins.holders().filter((holder) => !this.#connected.has(holder))
      .flatMap((holder) => joins.byHolder(holder));
    const ids = new Set(unheld.map(idOf));
    for (const id of this.#ends.keys()) if (!ids.has(id)) this.#ends.delete(id);
    for (const join of unheld) if (!this.#ends.has(idOf(join))) this.#lease(join);
    this.#leave(unheld.filter((join) => this.#ends.get(idOf(join))! <= now));
  }
}

function idOf({ diagram_id, holder, user_id }: JoinKey): string {
  return JSON.stringify([diagram_id, holder, user_id]);
}
