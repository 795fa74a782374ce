/**
 * Adapters and their versions as they are answered.
 *
 * @module
 */
import { readRecord } from "./adapter-record.ts";
import { type AdapterRow, shownCapabilities, type VersionRow } from "./adapter-table.ts";

/** What a list shows. */
export function adapterHead(row: AdapterRow) {
  const { adapter_id, domain, key, provider, version, factory_path, category, sha256, size, versions } = row;
  return {
    adapter_id,
    domain,
    key,
    provider,
    version,
    factory_path,
    category,
    capabilities: shownCapabilities(row),
    sha256,
    size,
    versions,
    health_status: row.health_status,
    last_health_check: isoTime(row.last_health_check),
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  };
}

/** A version in full. Health is that of the current version; of another one nothing is known. */
export function adapterView(adapter: AdapterRow, version: VersionRow) {
  const current = adapter.version === version.version;
  const { sha256, size, changelog } = version;
  return {
    ...readRecord(version.record),
    changelog,
    sha256,
    size,
    current,
    health_status: current ? adapter.health_status : "unknown" as const,
    health_error: current ? adapter.health_error : null,
    last_health_check: current ? isoTime(adapter.last_health_check) : null,
    created_at: isoTime(adapter.created_at),
    updated_at: isoTime(version.stored_at),
  };
}

export function versionView({ version }: AdapterRow, row: VersionRow) {
  return {
    version: row.version,
    updated_at: isoTime(row.stored_at),
    changelog: row.changelog,
    sha256: row.sha256,
    size: row.size,
    current: row.version === version,
  };
}

/** A stored time as it is answered. */
export function isoTime(milliseconds: number): string;
export function isoTime(milliseconds: number | null): string | null;
export function isoTime(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}
