/**
 * Which events replace one another for a reader that falls behind.
 *
 * @module
 */
import type { SequencedEvent } from "../protocol/event.ts";
import { stringifyJson } from "../protocol/json.ts";

/**
 * The same text for two events of one type and channel that agree in these fields of their data.
 *
 * @param fields `latestBy` of the channel's kind. Undefined: no event replaces another, and the key is null.
 */
export function foldKey(
  { channel, event, data }: Pick<SequencedEvent, "channel" | "event" | "data">,
  fields: readonly string[] | undefined,
): string | null {
  if (fields === undefined) return null;
  return stringifyJson([channel, event, ...fields.map((field) => data[field] ?? null)]);
}
