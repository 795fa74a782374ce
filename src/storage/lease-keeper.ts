/**
 * Decides whose lease is over. A lease holds as long as its holder, a connection, is up; one whose holder is not up, or
 * was so in a former process only, holds for a time on the monotonic clock.
 *
 * What is kept, in a database as a rule, alone says which leases there are. What memory knows here (holders that are up,
 * ends of leases) only decides which are to go, and is mended by every sweep.
 *
 * @module
 */
import type { Cancel, Clock } from "../ports/clock.ts";

export interface LeaseKeeperParts<Key extends { readonly holder: string }, Lease extends Key> {
  readonly clock: Pick<Clock, "monotonic" | "every">;
  /** How long a lease holds whose holder is not up, in milliseconds. 0: until the next sweep. */
  readonly leaseMs: number;
  readonly kept: { holders(): string[]; byHolder(holder: string): Lease[] };
  /** What tells a lease from all others, in one text. */
  readonly idOf: (key: Key) => string;
  /** Take leases out of what is kept and tell of it, in one transaction. */
  readonly end: (leases: readonly Lease[]) => void;
  /** A sweep failed. The next one tries again. */
  readonly onError: (error: unknown) => void;
}

/** Leases that one transaction ends at most. */
const BATCH = 256;
/** Time between two sweeps, in milliseconds, unless leases are shorter; and the shortest one. */
const SWEEP_MS = 5_000;
const SHORTEST_SWEEP_MS = 1_000;

export class LeaseKeeper<Key extends { readonly holder: string }, Lease extends Key = Key> {
  readonly #parts: LeaseKeeperParts<Key, Lease>;
  /** Holders that are up. */
  readonly #up = new Set<string>();
  /** Ends of leases, by monotonic time; of those whose holder is not up only. */
  readonly #ends = new Map<string, number>();
  #stopSweeping: Cancel | null = null;

  constructor(parts: LeaseKeeperParts<Key, Lease>) {
    this.#parts = parts;
  }

  /** Look after the leases from now on. */
  start(): void {
    const everyMs = Math.max(SHORTEST_SWEEP_MS, Math.min(SWEEP_MS, this.#parts.leaseMs / 4));
    this.#stopSweeping ??= this.#parts.clock.every(everyMs, () => this.sweep());
  }

  /** Leave the leases as they are. */
  stop(): void {
    this.#stopSweeping?.();
    this.#stopSweeping = null;
  }

  /** The holder is up: what it holds does not end by time. */
  up(holder: string): void {
    this.#up.add(holder);
  }

  isUp(holder: string): boolean {
    return this.#up.has(holder);
  }

  /** The holder is gone, and what it held ends. Throws what `end` throws; then the next sweeps see to it. */
  down(holder: string): void {
    this.#up.delete(holder);
    this.end(this.#parts.kept.byHolder(holder));
  }

  /** A lease begins, or begins anew. */
  begin(key: Key): void {
    if (this.#up.has(key.holder)) return;
    this.#ends.set(this.#parts.idOf(key), this.#parts.clock.monotonic() + this.#parts.leaseMs);
  }

  /** A lease that would end by time begins anew. */
  renew(key: Key): void {
    if (this.#ends.has(this.#parts.idOf(key))) this.begin(key);
  }

  /** A lease has ended. */
  forget(key: Key): void {
    this.#ends.delete(this.#parts.idOf(key));
  }

  /** End leases now, in as many transactions as they need. */
  end(leases: readonly Lease[]): void {
    for (let start = 0; start < leases.length; start += BATCH) {
      this.#parts.end(leases.slice(start, start + BATCH));
    }
  }

  /** End the leases whose time is over, and give a time to those that nobody holds. Never throws. */
  sweep(): void {
    try {
      this.#sweep();
    } catch (error) {
      this.#parts.onError(error);
    }
  }

  #sweep(): void {
    const { kept, clock, idOf } = this.#parts;
    const now = clock.monotonic();
    const unheld = kept.holders().filter((holder) => !this.#up.has(holder))
      .flatMap((holder) => kept.byHolder(holder));
    const ids = new Set(unheld.map(idOf));
    for (const id of this.#ends.keys()) if (!ids.has(id)) this.#ends.delete(id);
    for (const lease of unheld) if (!this.#ends.has(idOf(lease))) this.begin(lease);
    this.end(unheld.filter((lease) => this.#ends.get(idOf(lease))! <= now));
  }
}
