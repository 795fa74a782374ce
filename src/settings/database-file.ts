/**
 * Where a service keeps what outlives its process.
 *
 * @module
 */
import type { Settings } from "./schema.ts";

/** As the setting `storage.path` names it; null where nothing outlives the process. */
export function databaseFile({ storage: { path } }: Pick<Settings, "storage">): string | null {
  return path === "none" || path === ":memory:" ? null : path;
}
