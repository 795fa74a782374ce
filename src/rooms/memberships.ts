/**
 * The subscriptions of each member. Most members have one, and it is kept as it is: a map of its own would be larger than
 * all that it says.
 *
 * @module
 */
import { type Member, Subscription } from "./subscription.ts";

/** One, or several by name. */
type Mine = Subscription | Map<string, Subscription>;

const NONE: ReadonlyMap<string, Subscription> = new Map();

export class Memberships {
  /** Those with a subscription only. */
  readonly #byMember = new Map<Member, Mine>();

  get(member: Member, name: string): Subscription | undefined {
    const mine = this.#byMember.get(member);
    if (mine instanceof Subscription) return mine.name === name ? mine : undefined;
    return mine?.get(name);
  }

  /** All of a member by name, in the order in which they began. It may or may not follow what changes later. */
  of(member: Member): ReadonlyMap<string, Subscription> {
    const mine = this.#byMember.get(member);
    if (mine === undefined) return NONE;
    return mine instanceof Subscription ? new Map([[mine.name, mine]]) : mine;
  }

  /** Add one of a name that its member has none of. */
  add(subscription: Subscription): void {
    const { member, name } = subscription;
    const mine = this.#byMember.get(member);
    if (mine === undefined) this.#byMember.set(member, subscription);
    else if (mine instanceof Map) mine.set(name, subscription);
    else this.#byMember.set(member, new Map([[mine.name, mine], [name, subscription]]));
  }

  /** Remove one that was added. */
  remove({ member, name }: Subscription): void {
    const mine = this.#byMember.get(member);
    if (mine instanceof Map && mine.size > 1) mine.delete(name);
    else this.#byMember.delete(member);
  }
}
