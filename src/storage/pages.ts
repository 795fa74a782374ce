/**
 * Cursors of lists: opaque to their callers, stable while rows are added.
 *
 * @module
 */
import { Refusal } from "../protocol/errors.ts";

/** One page of a list, newest first. */
export interface Page<T> {
  readonly rows: T[];
  readonly next_cursor: string | null;
}

/** Past every row. */
const START = Number.MAX_SAFE_INTEGER;

/**
 * Read one page. `read(before, count)` gives at most `count` rows with numbers below `before`, highest first.
 *
 * @param list names the list, so that a cursor of another one is refused
 */
export function readPage<T extends { number: number | bigint }>(
  list: string,
  cursor: string | null | undefined,
  limit: number,
  read: (before: number, count: number) => T[],
): Page<T> {
  const rows = read(cursor ? decode(list, cursor) : START, limit + 1);
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return { rows: rows.slice(0, limit), next_cursor: last ? btoa(`${list}:${last.number}`) : null };
}

function decode(list: string, cursor: string): number {
  let text = "";
  try {
    text = atob(cursor);
  } catch {
    // Refused below with every other text that we have not written.
  }
  const match = /^([a-z]+):(\d{1,15})$/.exec(text);
  if (match?.[1] === list) return Number(match[2]);
  throw new Refusal(
    "INVALID_DATA",
    `Invalid field 'cursor': expected the 'next_cursor' of a page of ${list}, as it was answered`,
  );
}
