/**
 * A name for whoever has chosen none: the id, as far as there is room beside a cursor.
 *
 * @module
 */
import { MAX_NAME_LENGTH } from "../fields.ts";

export function nameOf(userId: string): string {
  const start = userId.slice(0, MAX_NAME_LENGTH);
  // No character is cut in two.
  return start.isWellFormed() ? start : start.slice(0, -1);
}
