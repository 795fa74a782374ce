/**
 * Distributions and their deliveries, one for each target, in the database. What is pending there goes on after a
 * restart.
 *
 * @module
 */
import type { Digest } from "../../../src/ports/blob-files.ts";
import type { Database, Statement } from "../../../src/ports/database.ts";
import { Refusal } from "../../../src/protocol/errors.ts";

export type TargetKind = "folder" | "url" | "client";

export interface Distribution extends Digest {
  readonly number: number;
  readonly distribution_id: string;
  readonly adapter_id: string;
  readonly version: string;
  readonly created_at: number;
  readonly ended_at: number | null;
}

export interface Delivery {
  readonly number: number;
  readonly distribution_id: string;
  readonly target: string;
  readonly kind: TargetKind;
  readonly status: "pending" | "acknowledged" | "failed";
  readonly attempts: number;
  /** What the target says that it holds. */
  readonly sha256: string | null;
  readonly error: string | null;
  /** When it is due, in milliseconds since the Unix epoch. */
  readonly next_at: number;
  readonly updated_at: number;
}

export type NewDistribution = Omit<Distribution, "number" | "created_at" | "ended_at">;

/** What changes in a delivery. */
export type DeliveryChange = Pick<Delivery, "status" | "attempts" | "sha256" | "error" | "next_at">;

export class DistributionTable {
  readonly #statements: Readonly<Record<string, Statement>>;
  readonly #find: Statement;
  readonly #deliveries: Statement;

  constructor(database: Database) {
    const prepare = (sql: string) => database.prepare(sql);
    const old = "SELECT distribution_id FROM distributions WHERE ended_at IS NOT NULL " +
      "ORDER BY number DESC LIMIT -1 OFFSET ?";
    this.#find = prepare("SELECT * FROM distributions WHERE distribution_id = ?");
    this.#deliveries = prepare("SELECT * FROM deliveries WHERE distribution_id = ? ORDER BY number");
    this.#statements = {
      insert: prepare(
        "INSERT INTO distributions (distribution_id, adapter_id, version, sha256, size, created_at) " +
          "VALUES (?, ?, ?, ?, ?, ?)",
      ),
      insertDelivery: prepare(
        "INSERT INTO deliveries (distribution_id, target, kind, next_at, updated_at) VALUES (?, ?, ?, ?, ?)",
      ),
      change: prepare(
        "UPDATE deliveries SET status = ?, attempts = ?, sha256 = ?, error = ?, next_at = ?, updated_at = ? " +
          "WHERE distribution_id = ? AND target = ?",
      ),
      end: prepare(
        "UPDATE distributions SET ended_at = ?1 WHERE distribution_id = ?2 AND ended_at IS NULL AND NOT EXISTS " +
          "(SELECT 1 FROM deliveries WHERE distribution_id = ?2 AND status = 'pending')",
      ),
      findDelivery: prepare("SELECT * FROM deliveries WHERE distribution_id = ? AND target = ?"),
      due: prepare(
        "SELECT * FROM deliveries WHERE status = 'pending' AND (kind = 'client') = ?1 " +
          "AND (next_at <= ?2 OR next_at > ?3) ORDER BY next_at, number LIMIT ?4",
      ),
      next: prepare(
        "SELECT min(next_at) AS next_at FROM deliveries WHERE status = 'pending' AND next_at > ?",
      ),
      open: prepare("SELECT * FROM distributions WHERE ended_at IS NULL ORDER BY number DESC LIMIT ?"),
      countOpen: prepare(
        "SELECT count(*) AS open FROM distributions WHERE ended_at IS NULL AND (?1 IS NULL OR adapter_id = ?1)",
      ),
      pruneDeliveries: prepare(`DELETE FROM deliveries WHERE distribution_id IN (${old})`),
      prune: prepare(`DELETE FROM distributions WHERE distribution_id IN (${old})`),
    };
  }

  insert(
    { distribution_id: id, adapter_id, version, sha256, size }: NewDistribution,
    targets: readonly Pick<Delivery, "target" | "kind">[],
    now: number,
  ): Distribution {
    this.#statements.insert!.run(id, adapter_id, version, sha256, size, now);
    for (const { target, kind } of targets) this.#statements.insertDelivery!.run(id, target, kind, now, now);
    return this.require(id);
  }

  find(id: string): Distribution | undefined {
    const row = this.#find.get(id);
    return row && distributionOf(row);
  }

  /** @throws {Refusal} NOT_FOUND */
  require(id: string): Distribution {
    const row = this.find(id);
    if (!row) throw new Refusal("NOT_FOUND", `No distribution '${id}'`);
    return row;
  }

  deliveries(id: string): Delivery[] {
    return this.#deliveries.all(id).map(deliveryOf);
  }

  /** @throws {Refusal} NOT_FOUND */
  requireDelivery(id: string, target: string): Delivery {
    const row = this.#statements.findDelivery!.get(id, target);
    if (!row) throw new Refusal("NOT_FOUND", `Distribution '${id}' has no target '${target}'`);
    return deliveryOf(row);
  }

  change(id: string, target: string, change: DeliveryChange, now: number): void {
    const { status, attempts, sha256, error, next_at } = change;
    this.#statements.change!.run(status, attempts, sha256, error, next_at, now, id, target);
  }

  /** End the distribution where nothing of it is pending. True where that was so. */
  endIfDone(id: string, now: number): boolean {
    return this.#statements.end!.run(now, id) > 0;
  }

  /**
   * Deliveries that are to be tried now, those that have waited longest first. One that waits for longer than any
   * delivery may was written before the wall clock was set back, and counts too.
   */
  due(to: "clients" | "others", now: number, longestMs: number, limit: number): Delivery[] {
    const isClient = to === "clients" ? 1 : 0;
    return this.#statements.due!.all(isClient, now, now + longestMs, limit).map(deliveryOf);
  }

  /** When the next delivery becomes due that is not due yet. */
  nextAt(now: number): number | null {
    const { next_at } = this.#statements.next!.get<{ next_at: number | null }>(now) ?? { next_at: null };
    return next_at === null ? null : Number(next_at);
  }

  /** Distributions that have not ended, newest first. */
  open(limit: number): Distribution[] {
    return this.#statements.open!.all(limit).map(distributionOf);
  }

  countOpen(adapterId: string | null = null): number {
    return Number(this.#statements.countOpen!.get<{ open: number }>(adapterId)?.open ?? 0);
  }

  /** Keep the newest `keep` of those that have ended. */
  prune(keep: number): void {
    this.#statements.pruneDeliveries!.run(keep);
    this.#statements.prune!.run(keep);
  }
}

function distributionOf(row: object): Distribution {
  const found = row as Distribution;
  return {
    ...found,
    number: Number(found.number),
    size: Number(found.size),
    created_at: Number(found.created_at),
    ended_at: found.ended_at === null ? null : Number(found.ended_at),
  };
}

function deliveryOf(row: object): Delivery {
  const found = row as Delivery;
  return {
    ...found,
    number: Number(found.number),
    attempts: Number(found.attempts),
    next_at: Number(found.next_at),
    updated_at: Number(found.updated_at),
  };
}
