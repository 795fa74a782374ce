/**
 * The record of an adapter's version: what was said of it, in one form, as it is kept.
 *
 * @module
 */
import { Refusal } from "../../../src/protocol/errors.ts";
import { type JsonObject, type JsonValue, parseJson, stringifyJson } from "../../../src/protocol/json.ts";
import { MAX_RECORD_BYTES } from "../fields.ts";

export interface AdapterRecord {
  readonly schema_version: 1;
  readonly adapter_id: string;
  readonly domain: string;
  readonly key: string;
  readonly provider: string;
  readonly version: string;
  readonly factory_path: string | null;
  readonly config: JsonObject;
  readonly dependencies: string[];
  readonly capabilities: string[];
  readonly metadata: JsonObject;
}

/** What of a request becomes the record. */
export interface RecordInput {
  readonly domain: string;
  readonly key: string;
  readonly provider: string;
  readonly version: string;
  readonly factory_path?: string | null | undefined;
  readonly config?: JsonObject | null | undefined;
  readonly dependencies?: readonly string[] | null | undefined;
  readonly capabilities?: readonly string[] | null | undefined;
  readonly metadata?: JsonObject | null | undefined;
}

/** Levels of objects and arrays in `config` and `metadata`. */
const MAX_DEPTH = 64;

const encoder = new TextEncoder();

export function adapterIdOf({ domain, key, provider }: Omit<RecordInput, "version">): string {
  return `${domain}:${key}:${provider}`;
}

/**
 * The record as text. The same input gives the same text.
 *
 * @throws {Refusal} INVALID_DATA where it is too large, too deep, or holds what JSON cannot
 */
export function writeRecord(input: RecordInput): string {
  const { domain, key, provider, version, factory_path, config, dependencies, capabilities, metadata } =
    input;
  for (const [name, value] of Object.entries({ config, metadata })) {
    const fault = value == null ? null : faultOf(value, MAX_DEPTH);
    if (fault !== null) throw new Refusal("INVALID_DATA", `Invalid field '${name}': ${fault}`);
  }
  const record: AdapterRecord = {
    schema_version: 1,
    adapter_id: adapterIdOf(input),
    domain,
    key,
    provider,
    version,
    factory_path: factory_path ?? null,
    config: config ?? {},
    dependencies: [...dependencies ?? []],
    capabilities: [...capabilities ?? []],
    metadata: metadata ?? {},
  };
  const text = stringifyJson(record);
  const bytes = encoder.encode(text).byteLength;
  if (bytes <= MAX_RECORD_BYTES) return text;
  throw new Refusal(
    "INVALID_DATA",
    `The adapter has ${bytes} bytes of JSON, expected at most ${MAX_RECORD_BYTES}: put what is large into the content`,
  );
}

/** A record from text that `writeRecord` has written. */
export function readRecord(text: string): AdapterRecord {
  const parsed = parseJson(text);
  if (!parsed.ok) throw new Error(`Cannot read a stored record: ${parsed.reason}`);
  return parsed.value as unknown as AdapterRecord;
}

/** What adapters can be listed by, besides their id. */
export function categoryOf({ metadata }: AdapterRecord): string | null {
  const { category } = metadata;
  return typeof category === "string" ? category.slice(0, 200) : null;
}

function faultOf(value: JsonValue, depth: number): string | null {
  if (typeof value === "number" && !Number.isFinite(value)) {
    return "a number that JSON cannot hold, expected finite numbers";
  }
  if (typeof value !== "object" || value === null) return null;
  if (depth === 0) return `more than ${MAX_DEPTH} levels, expected fewer`;
  for (const inner of Object.values(value)) {
    const fault = faultOf(inner, depth - 1);
    if (fault !== null) return fault;
  }
  return null;
}
