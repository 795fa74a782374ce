/**
 * Long texts, shortened for lists.
 *
 * @module
 */

/** The first `length` UTF-16 units, the last of them an ellipsis where something was cut. Never half a character. */
export function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  const cut = text.slice(0, length - 1);
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}…`;
}
