/**
 * An event's data as JSON text. Data that was settled here is known to no one else, cannot change any more, and is
 * written only once, however many channels it goes to.
 *
 * @module
 */
import { type JsonObject, parseJson, type ParseResult, stringifyJson } from "../protocol/json.ts";
import { utf8Length } from "../protocol/utf8.ts";

export interface DataText {
  readonly text: string;
  /** Length of `text` in UTF-8. */
  readonly bytes: number;
}

const settled = new WeakMap<JsonObject, DataText>();

/** The text of data, from memory where the data was settled. */
export function textOf(data: JsonObject): DataText {
  return settled.get(data) ?? measured(stringifyJson(data));
}

/**
 * A copy of the data as a reader of its JSON will see it, so that what is delivered now and what is read from history
 * later are the same, whatever the author does with the object afterwards.
 *
 * @throws {TypeError} where the data cannot be read again: it contains itself or nests too deep.
 */
export function settle(data: Readonly<Record<string, unknown>>): JsonObject {
  const text = stringifyJson(data);
  const parsed: ParseResult = parseJson(text);
  if (!parsed.ok) throw new TypeError(parsed.reason);
  const copy = parsed.value as JsonObject;
  settled.set(copy, measured(text));
  return copy;
}

function measured(text: string): DataText {
  return { text, bytes: utf8Length(text) };
}
