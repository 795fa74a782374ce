/**
 * Who is where. Keeps each member's subscriptions, encodes an event once and hands it to everybody who is in its
 * channel. Never waits for a member.
 *
 * @module
 */
import { type Clock, systemClock } from "../ports/clock.ts";
import { type Counter, type Gauge, type Histogram, type Meter, silentMeter } from "../ports/meter.ts";
import { Frame } from "../ports/socket.ts";
import { kindOf } from "../protocol/channel-name.ts";
import { encodeEvent } from "../protocol/codec.ts";
import type { ChannelKind } from "../protocol/contract.ts";
import type { SequencedEvent } from "../protocol/event.ts";
import { foldKey } from "./fold-key.ts";
import { Memberships } from "./memberships.ts";
import { Room } from "./room.ts";
import { type Member, type Place, Subscription } from "./subscription.ts";

/** Hears of who comes and goes, when it has happened. Nothing of it may throw. */
export interface HubListener {
  joined(subscription: Subscription): void;
  left(subscription: Subscription): void;
  /** The member may be another user from now on. */
  identified(member: Member): void;
}

interface KindMetrics {
  readonly broadcasts: Counter;
  readonly duration: Histogram;
  readonly subscriptions: Gauge;
  count: number;
}

export class Hub {
  /** Channels that have a member; an empty one is dropped at once. */
  readonly #rooms = new Map<string, Room>();
  /** Wildcard subscriptions by kind. */
  readonly #wildcards = new Map<string, Room>();
  readonly #memberships = new Memberships();
  /** Subscriptions whose filter may hide events, for the position frames. */
  readonly #filtered = new Set<Subscription>();
  readonly #kinds = new Map<string, KindMetrics>();
  readonly #channels: Readonly<Record<string, ChannelKind>>;
  readonly #meter: Meter;
  readonly #server: string;
  readonly #clock: Clock;
  readonly #sent: Counter;
  #order = 0;
  /** Null: nobody wants to hear of it. */
  listener: HubListener | null = null;
  /** Events handed to a channel that had members, and frames that came of it, since the start. */
  readonly total = { broadcasts: 0, sent: 0 };

  /** @param options.channels The contract's, for what it says of slow readers. Default: it says nothing. */
  constructor(
    options: {
      server: string;
      channels?: Readonly<Record<string, ChannelKind>>;
      meter?: Meter;
      clock?: Clock;
    },
  ) {
    this.#server = options.server;
    this.#channels = options.channels ?? {};
    this.#clock = options.clock ?? systemClock;
    this.#meter = options.meter ?? silentMeter;
    this.#sent = this.#meter.counter("websocket_messages_total", {
      server: options.server,
      message_type: "event",
      direction: "sent",
    });
  }

  /** Channels and wildcards that have at least one member. */
  get rooms(): ReadonlyMap<string, ReadonlySet<Member>> {
    const rooms = new Map<string, ReadonlySet<Member>>();
    for (const [name, room] of this.#rooms) rooms.set(name, new Set(room.keys()));
    for (const [kind, room] of this.#wildcards) rooms.set(`${kind}:*`, new Set(room.keys()));
    return rooms;
  }

  /** The channels and wildcards with most members, at most `count`, fullest first. One look at each. */
  fullest(
    count: number,
  ): { readonly name: string; readonly members: Iterable<Member>; readonly size: number }[] {
    const found: { name: string; members: Room; size: number }[] = [];
    const consider = (name: string, members: Room) => {
      const least = found.length < count ? 0 : found.at(-1)?.size ?? Infinity;
      if (members.size <= least) return;
      const behind = found.findIndex(({ size }) => size < members.size);
      found.splice(behind < 0 ? found.length : behind, 0, { name, members, size: members.size });
      if (found.length > count) found.pop();
    };
    for (const [name, room] of this.#rooms) consider(name, room);
    for (const [kind, room] of this.#wildcards) consider(`${kind}:*`, room);
    return found.map(({ name, members, size }) => ({ name, members: members.keys(), size }));
  }

  /** Channels that somebody is in by name. */
  get channels(): Iterable<string> {
    return this.#rooms.keys();
  }

  get roomCount(): number {
    return this.#rooms.size + this.#wildcards.size;
  }

  /** Members of a channel, those who came by a wildcard included. */
  members(channel: string): Member[] {
    const members = new Set(this.#rooms.get(channel)?.keys());
    for (const member of this.#wildcards.get(kindOf(channel))?.keys() ?? []) members.add(member);
    return [...members];
  }

  /** How many members of the channel an event would reach. */
  audience(channel: string): number {
    const room = this.#rooms.get(channel);
    const wildcard = this.#wildcards.get(kindOf(channel));
    if (!room || !wildcard) return (room ?? wildcard)?.size ?? 0;
    const [few, many] = room.size < wildcard.size ? [room, wildcard] : [wildcard, room];
    let both = 0;
    for (const member of few.keys()) if (many.has(member)) both++;
    return room.size + wildcard.size - both;
  }

  /** What a member is in, by name. To be read at once: it may or may not follow what changes later. */
  subscriptions(member: Member): ReadonlyMap<string, Subscription> {
    return this.#memberships.of(member);
  }

  /**
   * Put a member into a place. Joining again keeps the membership and takes the new filter. The subscription is not
   * live yet: the caller sets `live` when the reply is on its way and the past, if asked for, has been replayed.
   */
  join(
    member: Member,
    place: Place,
    options: { filter: ReadonlySet<string> | null; start: number; joinedAt: number },
  ): Subscription {
    const present = this.#memberships.get(member, place.name);
    if (present) {
      present.filter = options.filter;
      present.start = options.start;
      present.joinedAt = options.joinedAt;
      present.order = ++this.#order;
      present.live = false;
      present.heldBack = 0;
      present.unseen = 0;
      present.generation++;
      this.#watchFilter(present);
      return present;
    }
    const rooms = place.wildcard ? this.#wildcards : this.#rooms;
    const key = place.wildcard ? place.kind : place.name;
    const room = rooms.get(key) ?? new Room(place);
    const subscription = new Subscription(member, room.place, options.filter, {
      start: options.start,
      joinedAt: options.joinedAt,
      order: ++this.#order,
    });
    this.#memberships.add(subscription);
    rooms.set(key, room);
    room.set(member, subscription);
    this.#watchFilter(subscription);
    this.#countMembership(place.kind, 1);
    this.listener?.joined(subscription);
    return subscription;
  }

  /** Take a member out. False where it was not in. */
  leave(member: Member, name: string): boolean {
    const subscription = this.#memberships.get(member, name);
    if (!subscription) return false;
    this.#memberships.remove(subscription);
    const rooms = subscription.wildcard ? this.#wildcards : this.#rooms;
    const key = subscription.wildcard ? subscription.kind : subscription.name;
    const room = rooms.get(key);
    room?.delete(member);
    if (room?.size === 0) rooms.delete(key);
    subscription.ended = true;
    this.#filtered.delete(subscription);
    this.#countMembership(subscription.kind, -1);
    this.listener?.left(subscription);
    return true;
  }

  leaveAll(member: Member): void {
    for (const name of [...this.subscriptions(member).keys()]) this.leave(member, name);
  }

  /** The member has said who it is. Its channels stay what they are. */
  identified(member: Member): void {
    this.listener?.identified(member);
  }

  /** Hand an event to its channel's members. Called by the broker, in order. */
  deliver(event: SequencedEvent, cause: symbol | undefined): void {
    const kind = kindOf(event.channel);
    const room = this.#rooms.get(event.channel);
    const wildcard = this.#wildcards.get(kind);
    if (!room && !wildcard) return;
    const started = this.#clock.monotonic();
    const frame = new Frame(encodeEvent(event), foldKey(event, this.#channels[kind]?.latestBy));
    let reached = 0;
    if (room) reached += this.#offerAll(room, wildcard, frame, event, cause);
    if (wildcard) reached += this.#offerAll(wildcard, room, frame, event, cause);
    this.#count(kind, reached);
    this.#kind(kind).duration.observe((this.#clock.monotonic() - started) / 1_000);
  }

  /**
   * Hand a frame that is no event of the history to everybody who is in a channel now.
   *
   * @returns how many it reached.
   */
  send(channel: string, frame: Frame): number {
    const members = this.members(channel);
    for (const member of members) member.deliver(frame, undefined);
    this.#count(kindOf(channel), members.length);
    return members.length;
  }

  /** Whether a replay of this subscription brings the event, or another one of the same member has done so. */
  brings(subscription: Subscription, event: SequencedEvent): boolean {
    const other = subscription.wildcard
      ? this.#rooms.get(event.channel)?.get(subscription.member)
      : this.#wildcards.get(subscription.kind)?.get(subscription.member);
    return subscription.brings(event, other);
  }

  /** Subscriptions whose filter hid events since the last call, each with the seq up to which it has seen all. */
  *takeUnseen(): Generator<{ subscription: Subscription; seq: number }> {
    for (const subscription of this.#filtered) {
      if (subscription.unseen === 0 || !subscription.live) continue;
      const seq = subscription.unseen;
      subscription.unseen = 0;
      yield { subscription, seq };
    }
  }

  /** @param others Where members may have another subscription that holds the event's channel too. */
  #offerAll(
    room: Room,
    others: Room | undefined,
    frame: Frame,
    event: SequencedEvent,
    cause: symbol | undefined,
  ): number {
    let reached = 0;
    for (const subscription of room.subscriptions) {
      if (subscription.ended) continue;
      if (!others && subscription.live && subscription.filter === null && event.seq > subscription.start) {
        // What most are.
        subscription.member.deliver(frame, cause);
        reached++;
      } else if (this.#offer(subscription, others?.get(subscription.member), frame, event, cause)) reached++;
    }
    return reached;
  }

  #offer(
    subscription: Subscription,
    other: Subscription | undefined,
    frame: Frame,
    event: SequencedEvent,
    cause: symbol | undefined,
  ): boolean {
    if (!subscription.live) {
      subscription.heldBack = event.seq;
      return false;
    }
    if (!subscription.brings(event, other)) {
      if (event.seq > subscription.start && !subscription.wants(event)) {
        subscription.unseen = event.seq;
        // Of two subscriptions of a member that both leave it out, the one that names the channel tells.
        if (!other || !(subscription.wildcard || other.covers(event))) subscription.member.filtered?.();
      }
      return false;
    }
    subscription.unseen = 0;
    subscription.member.deliver(frame, cause);
    return true;
  }

  #count(kind: string, reached: number): void {
    this.#sent.add(reached);
    this.#kind(kind).broadcasts.add();
    this.total.broadcasts++;
    this.total.sent += reached;
  }

  #watchFilter(subscription: Subscription): void {
    if (subscription.filter) this.#filtered.add(subscription);
    else this.#filtered.delete(subscription);
  }

  #countMembership(kind: string, by: number): void {
    const metrics = this.#kind(kind);
    metrics.count += by;
    metrics.subscriptions.set(metrics.count);
  }

  #kind(kind: string): KindMetrics {
    let metrics = this.#kinds.get(kind);
    if (!metrics) {
      const labels = { server: this.#server, channel: kind };
      metrics = {
        broadcasts: this.#meter.counter("websocket_broadcast_total", labels),
        duration: this.#meter.histogram("websocket_broadcast_duration_seconds", labels),
        subscriptions: this.#meter.gauge("websocket_subscriptions", labels),
        count: 0,
      };
      this.#kinds.set(kind, metrics);
    }
    return metrics;
  }
}
