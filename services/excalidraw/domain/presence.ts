/**
 * Who is in which diagram. A join holds as long as its connection does; one without a connection, by HTTP or MCP, holds
 * for a lease that is renewed by what the user does. Joins are in the database, so that those whom a crash has cut off
 * are told to have left at the next start. See `LeaseKeeper` for who is to go.
 *
 * @module
 */
import type { Clock } from "../../../src/ports/clock.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import type { Transaction } from "../../../src/service/define-service.ts";
import { LeaseKeeper } from "../../../src/storage/lease-keeper.ts";
import type { ExcalidrawContract } from "../contract.ts";
import { type Join, type JoinKey, type Joins, NO_CONNECTION, type UserInfo } from "./joins.ts";
import type { ExcalidrawSettings } from "./settings.ts";
import { colorOf } from "./user-color.ts";
import { nameOf } from "./user-name.ts";

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

export class Presence {
  readonly #parts: PresenceParts;
  readonly #keeper: LeaseKeeper<JoinKey, Join>;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
    this.#keeper = new LeaseKeeper({
      clock: parts.clock,
      leaseMs: parts.settings.lease_seconds * 1_000,
      kept: parts.joins,
      idOf: ({ diagram_id, holder, user_id }) => JSON.stringify([diagram_id, holder, user_id]),
      end: (joins) =>
        parts.commit((transaction) => {
          for (const join of joins) this.#end(transaction, join);
        }),
      onError: parts.onError,
    });
  }

  /** Begin: whoever is left over from an earlier process has left. */
  start(): void {
    this.#keeper.end(this.#parts.joins.all());
    this.#keeper.start();
  }

  /** All have left, as their connections have. */
  stop(): void {
    this.#keeper.stop();
    this.#keeper.end(this.#parts.joins.all());
  }

  connected(connectionId: string): void {
    this.#keeper.up(connectionId);
  }

  isConnected(connectionId: string): boolean {
    return this.#keeper.isUp(connectionId);
  }

  /** Whoever has joined on this connection leaves. Where that fails, the next sweeps see to it. */
  disconnected(connectionId: string): void {
    this.#keeper.down(connectionId);
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
      name: given.name ?? known?.name ?? nameOf(user_id),
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
    this.#keeper.begin(key);
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
    this.#keeper.renew(key);
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

  #end(transaction: Emit, join: Join): void {
    const { joins, onLeft } = this.#parts;
    const { diagram_id, user_id, name, color } = join;
    joins.remove(join);
    this.#keeper.forget(join);
    if (joins.of(join)) return;
    transaction.emit("user.left", { diagram_id, user_id, user_info: { name, color } });
    onLeft(join);
  }
}
