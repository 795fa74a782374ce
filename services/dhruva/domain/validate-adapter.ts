/**
 * What can be said of an adapter without running it.
 *
 * @module
 */
import { Refusal } from "../../../src/protocol/errors.ts";
import type { AdapterRecord } from "./adapter-record.ts";
import type { AdapterTable, VersionRow } from "./adapter-table.ts";
import type { BlobStore } from "./blob-store.ts";
import { readRecord } from "./adapter-record.ts";

export interface Findings {
  readonly errors: string[];
  readonly warnings: string[];
}

/** Words of a program, joined by dots, and a name after a colon or the last dot: `package.module:Class`. */
const FACTORY_PATH =
  /^[\p{L}_$][\p{L}\p{N}_$-]*([./][\p{L}_$@][\p{L}\p{N}_$-]*)*([:#.][\p{L}_$][\p{L}\p{N}_$.]*)?$/u;
const ADAPTER_ID = /^[^:\s]+:[^:\s]+:[^:\s]+$/;

export async function validateAdapter(
  version: VersionRow,
  { adapters, blobs }: { readonly adapters: AdapterTable; readonly blobs: BlobStore },
): Promise<Findings> {
  const record = readRecord(version.record);
  const errors: string[] = [];
  try {
    await blobs.verify(version.sha256);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    errors.push(error.message);
  }
  const { factory_path: factory } = record;
  if (factory !== null && !FACTORY_PATH.test(factory)) {
    errors.push(`The factory path "${factory}" names nothing: expected something like package.module:Class`);
  }
  return { errors, warnings: warningsOf(record, adapters) };
}

function warningsOf(record: AdapterRecord, adapters: AdapterTable): string[] {
  const warnings: string[] = [];
  if (record.factory_path === null) warnings.push("It has no factory path: nothing says how it is made");
  for (const needed of record.dependencies) {
    if (needed === record.adapter_id) warnings.push("It depends on itself");
    else if (ADAPTER_ID.test(needed) && !adapters.find(needed)) {
      warnings.push(`It depends on adapter '${needed}', which is not stored here`);
    }
  }
  if (record.capabilities.length !== new Set(record.capabilities).size) {
    warnings.push("It names a capability twice");
  }
  return warnings;
}
