/**
 * Who is in the channels whose kind tells of it (`ChannelKind.presence`), by leases. A user that subscribes to such a
 * channel, by its name and not by a wildcard, holds a lease there through its connection. The first lease of a user in a
 * channel is told as joined, the end of the last one as left; lease and event are one transaction.
 *
 * Leases follow the hub: at the end of the tick in which a member has come, gone or become another user, its leases are
 * made to fit the channels that it is in. So the event comes after the reply to the subscribe that causes it, and whoever
 * changes connections within a tick has neither left nor joined.
 *
 * There are at most as many leases as connections times channels per connection, besides those of a former process,
 * which go on for a while and then end.
 *
 * @module
 */
import type { Cancel, Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { kindOf } from "../protocol/channel-name.ts";
import type { ChannelKind } from "../protocol/contract.ts";
import { LeaseKeeper } from "../storage/lease-keeper.ts";
import type { Lease, Leases } from "../storage/leases.ts";

import type { Hub, HubListener } from "./hub.ts";
import type { Member, Subscription } from "./subscription.ts";

/** Says what happened. See `Transaction` of `service/define-service.ts`. */
interface Transaction {
  emit(event: string, data: Record<string, unknown>): void;
}

export interface PresenceParts {
  /** The contract's. */
  readonly channels: Readonly<Record<string, ChannelKind>>;
  readonly hub: Hub;
  readonly leases: Leases;
  readonly commit: (work: (transaction: Transaction) => void) => void;
  readonly clock: Clock;
  /** How long a user counts as present whose connection was to a former process, in milliseconds. */
  readonly leaseMs: number;
  readonly log: Log;
}

/** A user in a channel, and the connections that it is there through. */
export interface PresentUser {
  readonly user_id: string;
  readonly connections: number;
}

/** Members whose leases one transaction changes at most. */
const BATCH = 256;
/** Time until leases that could not be written are tried again, in milliseconds. */
const RETRY_MS = 5_000;

export class Presence implements HubListener {
  readonly #parts: PresenceParts;
  readonly #keeper: LeaseKeeper<Lease>;
  /** Members whose leases may not fit the channels that they are in. */
  readonly #moved = new Set<Member>();
  #isScheduled = false;
  #isStopped = false;
  #cancelRetry: Cancel | null = null;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
    this.#keeper = new LeaseKeeper({
      clock: parts.clock,
      leaseMs: parts.leaseMs,
      kept: parts.leases,
      idOf: ({ channel, holder, user_id }) => JSON.stringify([channel, holder, user_id]),
      end: (leases) => {
        // Whoever has come back in this very tick stays.
        this.#settleAll();
        this.#change([], leases);
      },
      onError: (error) => parts.log.error("Users could not be told to have left", { error }),
    });
  }

  /** Follow the hub. Whoever was there in a former process has its lease from now on to come back. */
  start(): void {
    this.#parts.hub.listener = this;
    this.#keeper.sweep();
    this.#keeper.start();
  }

  /** Follow the hub no longer. Leases stay, for the next process: who is back by then is told nothing of. */
  stop(): void {
    this.#settleAll();
    this.#isStopped = true;
    if (this.#parts.hub.listener === this) this.#parts.hub.listener = null;
    this.#cancelRetry?.();
    this.#keeper.stop();
  }

  joined(subscription: Subscription): void {
    if (this.#isTold(subscription)) this.#follow(subscription.member);
  }

  left(subscription: Subscription): void {
    if (this.#isTold(subscription)) this.#follow(subscription.member);
  }

  identified(member: Member): void {
    if (this.#places(member).length > 0) this.#follow(member);
  }

  /**
   * Users in a channel, as they came. One whose connections were all to a former process is there with those until its
   * lease ends. Null where the channel's kind does not tell who is there.
   */
  users(channel: string): PresentUser[] | null {
    if (!this.#presenceOf(kindOf(channel))) return null;
    this.#settleAll();
    const users = new Map<string, { up: number; former: number }>();
    for (const { user_id, holder } of this.#parts.leases.of(channel)) {
      const user = users.get(user_id) ?? { up: 0, former: 0 };
      users.set(user_id, user);
      if (this.#keeper.isUp(holder)) user.up++;
      else user.former++;
    }
    return [...users].map(([user_id, { up, former }]) => ({ user_id, connections: up || former }));
  }

  #isTold({ kind, wildcard }: Subscription): boolean {
    return !wildcard && this.#presenceOf(kind) !== undefined;
  }

  /** Channels of the member in which it is told to be. */
  #places(member: Member): string[] {
    return [...this.#parts.hub.subscriptions(member).values()].filter((place) => this.#isTold(place))
      .map(({ name }) => name);
  }

  #presenceOf(kind: string): ChannelKind["presence"] {
    const { channels } = this.#parts;
    return Object.hasOwn(channels, kind) ? channels[kind]?.presence : undefined;
  }

  #follow(member: Member): void {
    if (this.#isStopped) return;
    this.#moved.add(member);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#parts.clock.endOfTick(() => {
      this.#isScheduled = false;
      if (this.#settle() && this.#moved.size > 0) this.#schedule();
    });
  }

  #settleAll(): void {
    while (this.#moved.size > 0) if (!this.#settle()) return;
  }

  /** Make the leases of some members fit. False where they cannot be written: they are tried again in a while. */
  #settle(): boolean {
    if (this.#isStopped) return false;
    const members = [...this.#moved].slice(0, BATCH);
    // Before they are told of: whoever is too slow for that leaves meanwhile, and is to be looked at again.
    for (const member of members) this.#moved.delete(member);
    try {
      const begin: Lease[] = [];
      const end: Lease[] = [];
      for (const member of members) this.#compare(member, begin, end);
      this.#change(begin, end);
      for (const { id } of members.filter((member) => this.#places(member).length === 0)) {
        this.#keeper.down(id);
      }
      return true;
    } catch (error) {
      for (const member of members) this.#moved.add(member);
      this.#parts.log.error("It could not be told who is in which channel: trying again", { error });
      this.#cancelRetry ??= this.#parts.clock.after(RETRY_MS, () => {
        this.#cancelRetry = null;
        if (this.#moved.size > 0) this.#schedule();
      });
      return false;
    }
  }

  /** Find the leases that a member is to have and has not, and those that it is not to have. */
  #compare(member: Member, begin: Lease[], end: Lease[]): void {
    const { id: holder, userId } = member;
    const user_id = userId === null ? undefined : kept(userId);
    const missing = new Set(user_id === undefined ? [] : this.#places(member));
    if (missing.size > 0) this.#keeper.up(holder);
    for (const lease of this.#parts.leases.byHolder(holder)) {
      const isHeld = lease.user_id === user_id && missing.delete(lease.channel);
      if (!isHeld) end.push(lease);
    }
    for (const channel of missing) begin.push({ channel, holder, user_id: user_id! });
  }

  /** One transaction: leases end and begin, and it is told of every user who is in a channel no more, or newly. */
  #change(begin: readonly Lease[], end: readonly Lease[]): void {
    if (begin.length + end.length === 0) return;
    const { leases, commit } = this.#parts;
    commit((transaction) => {
      const users = new Map([...end, ...begin].map((lease) => [userOf(lease), lease]));
      const before = new Set([...users.keys()].filter((user) => leases.has(users.get(user)!)));
      for (const lease of end) leases.remove(lease);
      for (const lease of begin) leases.put(lease);
      const after = new Set([...users.keys()].filter((user) => leases.has(users.get(user)!)));
      for (const [user, lease] of users) {
        if (before.has(user) && !after.has(user)) this.#tell(transaction, "left", lease);
      }
      const untold = new Set<string>();
      for (const [user, lease] of users) {
        if (before.has(user) || !after.has(user)) continue;
        if (!this.#tell(transaction, "joined", lease)) untold.add(user);
      }
      for (const lease of begin) if (untold.has(userOf(lease))) leases.remove(lease);
    });
  }

  /** False where the contract does not take the event for this channel or user: then they are not told of. */
  #tell({ emit }: Transaction, what: "joined" | "left", { channel, user_id }: Lease): boolean {
    const kind = kindOf(channel);
    const event = this.#presenceOf(kind)?.[what];
    // A former version of the service may have told of this kind.
    if (event === undefined) return false;
    const field = this.#parts.channels[kind]?.id;
    const data = field === undefined ? { user_id } : { [field]: channel.slice(kind.length + 1), user_id };
    try {
      emit(event, data);
      return true;
    } catch (error) {
      this.#parts.log.warn("A user could not be told of", { event, channel, error });
      return false;
    }
  }
}

/** A user's id as every database gives it back. */
function kept(userId: string): string {
  return userId.toWellFormed().replaceAll("\0", "\ufffd");
}

function userOf({ channel, user_id }: Lease): string {
  return JSON.stringify([channel, user_id]);
}
