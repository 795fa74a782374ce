/**
 * Contexts of sessions on their way in and out of the database: any JSON object within bounds.
 *
 * @module
 */
import { Refusal } from "../../../src/protocol/errors.ts";
import { type JsonObject, type JsonValue, parseJson, stringifyJson } from "../../../src/protocol/json.ts";
import { MAX_CONTEXT_BYTES, MAX_CONTEXT_DEPTH } from "../fields.ts";

const encoder = new TextEncoder();

/** Length in UTF-8. */
export function utf8Bytes(text: string): number {
  return encoder.encode(text).length;
}

/** What is wrong with a value that came as JSON; null for nothing. */
function faultOf(value: JsonValue, depth: number): string | null {
  if (typeof value === "number" && !Number.isFinite(value)) {
    return "a number that JSON cannot hold, expected finite numbers";
  }
  if (typeof value !== "object" || value === null) return null;
  if (depth === 0) return `more than ${MAX_CONTEXT_DEPTH} levels, expected fewer`;
  for (const inner of Object.values(value)) {
    const fault = faultOf(inner, depth - 1);
    if (fault !== null) return fault;
  }
  return null;
}

/**
 * Check a context, or a patch of one, that a caller sent.
 *
 * @returns the value as it will be read back, lone surrogates replaced
 * @throws {Refusal} INVALID_DATA where it is too deep, too large, or holds what JSON cannot
 */
export function checkedContext(value: JsonObject): JsonObject {
  const fault = faultOf(value, MAX_CONTEXT_DEPTH);
  if (fault !== null) throw new Refusal("INVALID_DATA", `Invalid field 'context': ${fault}`);
  return readContext(writeContext(value, "the field"));
}

/**
 * A context as text for the database.
 *
 * @throws {Refusal} INVALID_DATA where it is larger than a context may be; `what` says of what the size is
 */
export function writeContext(context: JsonObject, what = "the result"): string {
  const text = stringifyJson(context);
  const bytes = utf8Bytes(text);
  if (bytes <= MAX_CONTEXT_BYTES) return text;
  throw new Refusal(
    "INVALID_DATA",
    `Invalid field 'context': ${what} has ${bytes} bytes of JSON, expected at most ${MAX_CONTEXT_BYTES}`,
  );
}

/** A context from its text in the database. */
export function readContext(text: string): JsonObject {
  return readJson<JsonObject>(text);
}

/** A value from text that this service has written. */
export function readJson<T extends JsonValue>(text: string): T {
  const parsed = parseJson(text);
  if (!parsed.ok) throw new Error(`Cannot read a stored value: ${parsed.reason}`);
  return parsed.value as T;
}
