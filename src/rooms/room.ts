/**
 * The members of a channel, or of a kind's wildcard.
 *
 * @module
 */
import type { Member, Place, Subscription } from "./subscription.ts";

export class Room extends Map<Member, Subscription> {
  /** Thousands of members have one copy of its words. */
  readonly place: Place;
  /** Null where somebody has come or gone since it was made. */
  #subscriptions: readonly Subscription[] | null = null;

  constructor(place: Place) {
    super();
    this.place = place;
  }

  /** As they are now: whoever goes later stays in it. Quicker to walk than a map. */
  get subscriptions(): readonly Subscription[] {
    return this.#subscriptions ??= [...this.values()];
  }

  override set(member: Member, subscription: Subscription): this {
    this.#subscriptions = null;
    return super.set(member, subscription);
  }

  override delete(member: Member): boolean {
    this.#subscriptions = null;
    return super.delete(member);
  }
}
