/**
 * Who is in which channel, in the database: one row for a user in a channel through one connection. A crash leaves the
 * rows, so that the next process knows whom it has to look for.
 *
 * @module
 */
import type { Database, Statement } from "../ports/database.ts";
import { migrate } from "./migrations.ts";

/** What tells one lease from another. */
export interface Lease {
  readonly channel: string;
  /** The connection that it is held through. */
  readonly holder: string;
  readonly user_id: string;
}

/** Calls within a commit are part of it, where there is a database. */
export interface Leases {
  /** Nothing where it is there already. */
  put(lease: Lease): void;
  remove(lease: Lease): void;
  /** Whether the user is in the channel, through whatever connection. */
  has(user: Omit<Lease, "holder">): boolean;
  /** Leases in a channel, oldest first. */
  of(channel: string): Lease[];
  byHolder(holder: string): Lease[];
  /** Everybody who holds a lease, once. */
  holders(): string[];
}

/** Owner of the table. No contract has an underscore in its name, so no service owns tables under this one. */
export const LEASE_OWNER = "presence_leases";

/** `number` grows with every row. */
export const LEASE_STEPS: readonly string[] = [
  `CREATE TABLE presence_leases (
     number INTEGER PRIMARY KEY AUTOINCREMENT,
     channel TEXT NOT NULL,
     user_id TEXT NOT NULL,
     holder TEXT NOT NULL,
     UNIQUE (channel, user_id, holder)
   ) STRICT;
   CREATE INDEX presence_leases_by_holder ON presence_leases (holder);`,
];

const SELECT = "SELECT channel, holder, user_id FROM presence_leases";

export class LeaseTable implements Leases {
  readonly #put: Statement;
  readonly #remove: Statement;
  readonly #has: Statement;
  readonly #of: Statement;
  readonly #byHolder: Statement;
  readonly #holders: Statement;

  /** @param database stays open: it belongs to whoever opened it */
  constructor(database: Database) {
    migrate(database, LEASE_OWNER, LEASE_STEPS);
    this.#put = database.prepare(
      "INSERT INTO presence_leases (channel, user_id, holder) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    );
    this.#remove = database.prepare(
      "DELETE FROM presence_leases WHERE channel = ? AND user_id = ? AND holder = ?",
    );
    this.#has = database.prepare(`${SELECT} WHERE channel = ? AND user_id = ? LIMIT 1`);
    this.#of = database.prepare(`${SELECT} WHERE channel = ? ORDER BY number`);
    this.#byHolder = database.prepare(`${SELECT} WHERE holder = ? ORDER BY number`);
    this.#holders = database.prepare("SELECT DISTINCT holder FROM presence_leases");
  }

  put({ channel, user_id, holder }: Lease): void {
    this.#put.run(channel, user_id, holder);
  }

  remove({ channel, user_id, holder }: Lease): void {
    this.#remove.run(channel, user_id, holder);
  }

  has({ channel, user_id }: Omit<Lease, "holder">): boolean {
    return this.#has.get(channel, user_id) !== undefined;
  }

  of(channel: string): Lease[] {
    return this.#of.all<Lease>(channel);
  }

  byHolder(holder: string): Lease[] {
    return this.#byHolder.all<Lease>(holder);
  }

  holders(): string[] {
    return this.#holders.all<{ holder: string }>().map(({ holder }) => holder);
  }
}
