/**
 * Who is in which channel where there is no database: it ends with the process. See `Leases`.
 *
 * @module
 */
import type { Lease, Leases } from "./leases.ts";

export class MemoryLeases implements Leases {
  /** By channel, then by user and holder. */
  readonly #channels = new Map<string, Map<string, Lease>>();
  readonly #holders = new Map<string, Map<string, Lease>>();
  /** How many leases a user has in a channel. */
  readonly #counts = new Map<string, number>();

  put(lease: Lease): void {
    const { channel, holder, user_id } = lease;
    const kept = { channel, holder, user_id };
    if (this.#channels.get(channel)?.has(inChannel(lease))) return;
    entry(this.#channels, channel).set(inChannel(lease), kept);
    entry(this.#holders, holder).set(userOf(lease), kept);
    this.#counts.set(userOf(lease), (this.#counts.get(userOf(lease)) ?? 0) + 1);
  }

  remove(lease: Lease): void {
    const user = userOf(lease);
    if (!drop(this.#channels, lease.channel, inChannel(lease))) return;
    drop(this.#holders, lease.holder, user);
    const left = this.#counts.get(user)! - 1;
    if (left > 0) this.#counts.set(user, left);
    else this.#counts.delete(user);
  }

  has(user: Omit<Lease, "holder">): boolean {
    return this.#counts.has(userOf(user));
  }

  of(channel: string): Lease[] {
    return [...this.#channels.get(channel)?.values() ?? []];
  }

  byHolder(holder: string): Lease[] {
    return [...this.#holders.get(holder)?.values() ?? []];
  }

  holders(): string[] {
    return [...this.#holders.keys()];
  }
}

function inChannel({ user_id, holder }: Lease): string {
  return JSON.stringify([user_id, holder]);
}

function userOf({ channel, user_id }: Omit<Lease, "holder">): string {
  return JSON.stringify([channel, user_id]);
}

function entry(index: Map<string, Map<string, Lease>>, name: string): Map<string, Lease> {
  const found = index.get(name) ?? new Map<string, Lease>();
  index.set(name, found);
  return found;
}

/** False where it was not there. */
function drop(index: Map<string, Map<string, Lease>>, name: string, key: string): boolean {
  const found = index.get(name);
  const isDropped = found?.delete(key) === true;
  if (found?.size === 0) index.delete(name);
  return isDropped;
}
