/**
 * Adapters and their versions in the database.
 *
 * @module
 */
import type { Digest } from "../../../src/ports/blob-files.ts";
import type { Database, Statement } from "../../../src/ports/database.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import { type AdapterRecord, categoryOf } from "./adapter-record.ts";

export type Health = "healthy" | "unhealthy" | "unknown";

/** An adapter with what is known of its current version. Times are milliseconds since the Unix epoch. */
export interface AdapterRow extends Digest {
  readonly number: number;
  readonly adapter_id: string;
  readonly domain: string;
  readonly key: string;
  readonly provider: string;
  readonly version: string;
  readonly category: string | null;
  readonly capabilities: readonly string[];
  readonly factory_path: string | null;
  readonly created_at: number;
  readonly updated_at: number;
  readonly health_status: Health;
  readonly health_error: string | null;
  readonly last_health_check: number | null;
  /** How many versions are kept. */
  readonly versions: number;
}

export interface VersionRow extends Digest {
  readonly number: number;
  readonly adapter_id: string;
  readonly version: string;
  /** See `readRecord`. */
  readonly record: string;
  readonly changelog: string;
  readonly stored_at: number;
}

export interface AdapterFilter {
  readonly domain?: string | null | undefined;
  readonly key?: string | null | undefined;
  readonly provider?: string | null | undefined;
  readonly category?: string | null | undefined;
  readonly capability?: string | null | undefined;
  readonly health_status?: Health | null | undefined;
}

/** Capabilities that lists show. */
const SHOWN_CAPABILITIES = 10;

export class AdapterTable {
  readonly #statements: Readonly<Record<string, Statement>>;
  readonly #find: Statement;
  readonly #list: Statement;
  readonly #findVersion: Statement;
  readonly #listVersions: Statement;

  constructor(database: Database) {
    const prepare = (sql: string) => database.prepare(sql);
    const columns =
      "adapters.*, (SELECT count(*) FROM versions WHERE versions.adapter_id = adapters.adapter_id) " +
      "AS versions";
    this.#find = prepare(`SELECT ${columns} FROM adapters WHERE adapter_id = ?`);
    this.#list = prepare(
      `SELECT ${columns} FROM adapters WHERE number < ?1 ` +
        "AND (?2 IS NULL OR domain = ?2) AND (?3 IS NULL OR key = ?3) AND (?4 IS NULL OR provider = ?4) " +
        "AND (?5 IS NULL OR category = ?5) AND (?6 IS NULL OR health_status = ?6) " +
        "AND (?7 IS NULL OR EXISTS (SELECT 1 FROM json_each(capabilities) WHERE value = ?7)) " +
        "ORDER BY number DESC LIMIT ?8",
    );
    this.#findVersion = prepare("SELECT * FROM versions WHERE adapter_id = ? AND version = ?");
    this.#listVersions = prepare(
      "SELECT * FROM versions WHERE number < ? AND adapter_id = ? ORDER BY number DESC LIMIT ?",
    );
    this.#statements = {
      insert: prepare(
        "INSERT INTO adapters (adapter_id, domain, key, provider, version, category, capabilities, factory_path, " +
          "sha256, size, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)",
      ),
      update: prepare(
        "UPDATE adapters SET version = ?, category = ?, capabilities = ?, factory_path = ?, sha256 = ?, size = ?, " +
          "updated_at = ?, health_status = 'unknown', health_error = NULL, last_health_check = NULL " +
          "WHERE adapter_id = ?",
      ),
      insertVersion: prepare(
        "INSERT INTO versions (adapter_id, version, record, changelog, sha256, size, stored_at) " +
          "VALUES (?, ?, ?, ?, ?, ?, ?)",
      ),
      old: prepare(
        "SELECT * FROM versions WHERE adapter_id = ? ORDER BY number DESC LIMIT -1 OFFSET ?",
      ),
      removeVersion: prepare("DELETE FROM versions WHERE number = ?"),
      health: prepare(
        "UPDATE adapters SET health_status = ?, health_error = ?, last_health_check = ? WHERE adapter_id = ?",
      ),
      unhealthy: prepare(
        "UPDATE adapters SET health_status = 'unhealthy', health_error = ?, last_health_check = ? WHERE sha256 = ?",
      ),
      mended: prepare(
        "UPDATE adapters SET health_status = 'unknown', health_error = NULL " +
          "WHERE sha256 = ? AND health_status = 'unhealthy'",
      ),
      totals: prepare(
        "SELECT (SELECT count(*) FROM adapters) AS adapters, (SELECT count(*) FROM versions) AS versions, " +
          "(SELECT count(*) FROM adapters WHERE health_status = 'unhealthy') AS unhealthy",
      ),
    };
  }

  find(id: string): AdapterRow | undefined {
    const row = this.#find.get(id);
    return row && adapterOf(row);
  }

  /** @throws {Refusal} NOT_FOUND */
  require(id: string): AdapterRow {
    const row = this.find(id);
    if (!row) throw new Refusal("NOT_FOUND", `No adapter '${id}'`);
    return row;
  }

  findVersion(id: string, version: string): VersionRow | undefined {
    const row = this.#findVersion.get(id, version);
    return row && versionOf(row);
  }

  /** @param version null for the current one @throws {Refusal} NOT_FOUND */
  requireVersion(id: string, version: string | null | undefined): VersionRow {
    const adapter = this.require(id);
    const row = this.findVersion(id, version ?? adapter.version);
    if (!row) {
      throw new Refusal(
        "NOT_FOUND",
        `No version '${version}' of adapter '${id}' is kept: see get_adapter_versions`,
      );
    }
    return row;
  }

  /** Add a version and make it the current one. */
  store(record: AdapterRecord, text: string, changelog: string, { sha256, size }: Digest, now: number): void {
    const { adapter_id: id, domain, key, provider, version, factory_path } = record;
    const category = categoryOf(record);
    const capabilities = JSON.stringify(record.capabilities);
    if (this.find(id)) {
      this.#statements.update!.run(version, category, capabilities, factory_path, sha256, size, now, id);
    } else {
      this.#statements.insert!.run(
        id,
        domain,
        key,
        provider,
        version,
        category,
        capabilities,
        factory_path,
        sha256,
        size,
        now,
      );
    }
    this.#statements.insertVersion!.run(id, version, text, changelog, sha256, size, now);
  }

  /** Forget all versions but the newest `keep`. Gives those that were forgotten. */
  prune(id: string, keep: number): VersionRow[] {
    const old = this.#statements.old!.all(id, keep).map(versionOf);
    for (const { number } of old) this.#statements.removeVersion!.run(number);
    return old;
  }

  /** By number, highest first. */
  list(filter: AdapterFilter, before: number, count: number): AdapterRow[] {
    const { domain, key, provider, category, capability, health_status } = filter;
    return this.#list.all(
      before,
      domain ?? null,
      key ?? null,
      provider ?? null,
      category ?? null,
      health_status ?? null,
      capability ?? null,
      count,
    ).map(adapterOf);
  }

  listVersions(id: string, before: number, count: number): VersionRow[] {
    return this.#listVersions.all(before, id, count).map(versionOf);
  }

  setHealth(id: string, status: Health, error: string | null, now: number): void {
    this.#statements.health!.run(status, error, now, id);
  }

  /** Every adapter whose current content this is has become unhealthy. */
  setUnhealthy(sha256: string, error: string, now: number): void {
    this.#statements.unhealthy!.run(error, now, sha256);
  }

  /** Their content is there again. */
  setMended(sha256: string): void {
    this.#statements.mended!.run(sha256);
  }

  totals(): { adapters: number; versions: number; unhealthy: number } {
    const row = this.#statements.totals!.get<Record<"adapters" | "versions" | "unhealthy", number>>();
    return {
      adapters: Number(row?.adapters ?? 0),
      versions: Number(row?.versions ?? 0),
      unhealthy: Number(row?.unhealthy ?? 0),
    };
  }
}

/** What a list shows of an adapter's capabilities. */
export function shownCapabilities({ capabilities }: AdapterRow): string[] {
  return capabilities.slice(0, SHOWN_CAPABILITIES);
}

function adapterOf(row: object): AdapterRow {
  const found = row as AdapterRow & { capabilities: unknown };
  return {
    ...found,
    number: Number(found.number),
    capabilities: JSON.parse(String(found.capabilities)),
    size: Number(found.size),
    created_at: Number(found.created_at),
    updated_at: Number(found.updated_at),
    last_health_check: found.last_health_check === null ? null : Number(found.last_health_check),
    versions: Number(found.versions),
  };
}

function versionOf(row: object): VersionRow {
  const found = row as VersionRow;
  return {
    ...found,
    number: Number(found.number),
    size: Number(found.size),
    stored_at: Number(found.stored_at),
  };
}
