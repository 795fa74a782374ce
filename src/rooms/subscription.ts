/**
 * One member in one channel, or in all channels of a kind.
 *
 * @module
 */
import type { Scope } from "../ports/journal.ts";
import type { Frame } from "../ports/socket.ts";
import type { SequencedEvent } from "../protocol/event.ts";

/** A channel or wildcard, as `parseChannel` found it. */
export interface Place {
  /** What clients name: `session:a`, `session:*`, `global`. */
  readonly name: string;
  readonly kind: string;
  readonly wildcard: boolean;
}

/** Whoever can be in a channel: a connected client, as the hub sees it. */
export interface Member {
  readonly id: string;
  /** Null for a client that has not said who it is. */
  readonly userId: string | null;
  /** Take an event's frame. Must not throw and must not wait. */
  deliver(frame: Frame, cause: symbol | undefined): void;
  /** Its own filter has kept a live event from it. For who keeps count of it. */
  filtered?(): void;
}

export class Subscription {
  readonly member: Member;
  /** Shared by all that are in it. */
  readonly place: Place;
  /** Event types wanted; null for all. */
  filter: ReadonlySet<string> | null;
  /** Events up to and including this seq are not delivered through this subscription. */
  start: number;
  /** The newest seq of the service when the member joined; what came before is brought by the replay. */
  joinedAt: number;
  /** Which of two subscriptions is the older one. */
  order: number;
  /** False while the past is being replayed: live events are then left to the replay. */
  live = false;
  /** The newest live event that was left to the replay. */
  heldBack = 0;
  /** The newest event that the filter kept from the member, and that no position frame has told it of. */
  unseen = 0;
  /** Set when the member has left, so that a replay under way stops. */
  ended = false;
  /** Grows when the member subscribes again, so that the replay of the former request stops. */
  generation = 0;

  constructor(
    member: Member,
    place: Place,
    filter: ReadonlySet<string> | null,
    from: { start: number; joinedAt: number; order: number },
  ) {
    this.member = member;
    this.place = place;
    this.filter = filter;
    this.start = from.start;
    this.joinedAt = from.joinedAt;
    this.order = from.order;
  }

  get name(): string {
    return this.place.name;
  }

  get kind(): string {
    return this.place.kind;
  }

  get wildcard(): boolean {
    return this.place.wildcard;
  }

  /** Where to read this subscription's past. */
  get scope(): Scope {
    return this.wildcard ? { kind: this.kind } : { channel: this.name };
  }

  /** Whether the member is to get this event as far as this subscription is concerned. */
  covers(event: SequencedEvent): boolean {
    return event.seq > this.start && this.wants(event);
  }

  /**
   * Whether this subscription brings its member the event. `other` is the same member's subscription that holds the
   * event's channel too: who is in `a:b` and in `a:*` gets one frame, and the channel's events in order. So what was
   * there before the younger of the two came, the older one has brought already. Of what came later, the one whose past
   * is still being replayed brings all, so that nothing overtakes the replay; otherwise the one that names the channel.
   *
   * Holds as long as not both are replayed at once, and neither goes while one is: see `Connection`.
   */
  brings(event: SequencedEvent, other: Subscription | undefined): boolean {
    if (!other) return this.covers(event);
    if (event.seq <= Math.max(this.joinedAt, other.joinedAt)) {
      return this.covers(event) && !(other.covers(event) && other.order < this.order);
    }
    if (!this.live) return this.covers(event) || other.covers(event);
    if (!other.live) return false;
    return this.covers(event) && !(this.wildcard && other.covers(event));
  }

  wants(event: SequencedEvent): boolean {
    return this.filter === null || this.filter.has(event.event);
  }
}
