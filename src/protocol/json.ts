/**
 * JSON as the wire speaks it. Values are those of `JSON.parse`, with one addition: an integer outside ±(2^53 - 1),
 * where doubles are no longer exact, arrives as a `bigint` and leaves as the same digits.
 *
 * @module
 */
import {
  BACKSLASH,
  mayHoldLongInteger,
  nestsDeeperThan,
  QUOTE,
  replaceLoneSurrogateEscapes,
} from "./json-text.ts";
import type { JsonValue } from "./json-value.ts";
import { MalformedJson, parseTolerantly } from "./tolerant-json.ts";

export type { JsonObject, JsonValue } from "./json-value.ts";

/** Arrays and objects may stand in each other this many levels deep. */
export const MAX_JSON_DEPTH = 128;

export type ParseResult =
  | { readonly ok: true; readonly value: JsonValue }
  /** `reason` is a sentence for the sender. It names a place and never shows the text. */
  | { readonly ok: false; readonly reason: string };

/**
 * Parse strict JSON, and beyond it what the Python layer takes: integers of up to 4300 digits (as `bigint`
 * outside ±(2^53 - 1), also where a double would happen to hold it), the bare words `NaN`, `Infinity` and `-Infinity`,
 * and `1e400` (which is `Infinity`).
 *
 * Of duplicate keys the last wins; `__proto__` is a key like any other. Never throws.
 *
 * @param maxDepth A few hundred at most: what comes is read by functions that call themselves.
 */
export function parseJson(text: string, maxDepth: number = MAX_JSON_DEPTH): ParseResult {
  if (text === "") return { ok: false, reason: "Malformed JSON: the text is empty" };
  if (nestsDeeperThan(text, maxDepth)) {
    return { ok: false, reason: `Malformed JSON: nested more than ${maxDepth} levels deep` };
  }
  try {
    const value: JsonValue = JSON.parse(text);
    if (!mayHoldLongInteger(text)) return { ok: true, value };
  } catch {
    // Below it is either parsed after all, or said where the fault is: JSON.parse would quote the text.
  }
  try {
    return { ok: true, value: parseTolerantly(text) };
  } catch (error) {
    if (error instanceof MalformedJson) return { ok: false, reason: error.message };
    throw error;
  }
}

/**
 * Write JSON without blanks, non-ASCII characters as they are. As `JSON.stringify` does, it leaves out members that are
 * `undefined` and writes `null` for what is not finite; beyond it, a `bigint` becomes its digits, a lone surrogate
 * becomes U+FFFD, in keys too, and a value of which `JSON.stringify` writes nothing (`undefined`, a function) becomes
 * `null`.
 *
 * @throws {TypeError} where the value contains itself.
 */
export function stringifyJson(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    text = write(value, "", []);
  }
  return text === undefined ? "null" : replaceLoneSurrogateEscapes(text);
}

/** Longer strings are handed to `JSON.stringify` at once. */
const SHORT = 64;

/** Write a string as `stringifyJson` does: cheaper, where it is short and plain as names and ids are. */
export function quoteJson(text: string): string {
  if (text.length > SHORT) return stringifyJson(text);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e || unit === QUOTE || unit === BACKSLASH) return stringifyJson(text);
  }
  return `"${text}"`;
}

/** `JSON.stringify` with bigints, for the rare value that has some. `undefined` where there is nothing to write. */
function write(value: unknown, key: string, within: readonly object[]): string | undefined {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (within.includes(value)) {
    throw new TypeError(`Cannot write JSON: the value at key '${key}' contains itself`);
  }
  const inside = [...within, value];
  if ("toJSON" in value && typeof value.toJSON === "function") return write(value.toJSON(key), key, inside);
  if (Array.isArray(value)) {
    return `[${value.map((item, index) => write(item, String(index), inside) ?? "null").join(",")}]`;
  }
  const members: string[] = [];
  for (const [name, member] of Object.entries(value)) {
    const text = write(member, name, inside);
    if (text !== undefined) members.push(`${JSON.stringify(name)}:${text}`);
  }
  return `{${members.join(",")}}`;
}
