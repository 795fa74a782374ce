/**
 * How large a database is.
 *
 * @module
 */
import type { Database } from "../ports/database.ts";

/** Bytes of the pages that it has, free ones included; what its write-ahead log holds beside them is not counted. */
export function databaseBytes(database: Database): number {
  const { page_count: pages } = database.prepare("PRAGMA page_count").get<{ page_count: number }>()!;
  const { page_size: bytes } = database.prepare("PRAGMA page_size").get<{ page_size: number }>()!;
  return pages * bytes;
}
