/**
 * What a person types into a search, as an FTS5 expression.
 *
 * @module
 */

const MAX_TERMS = 32;

/**
 * Each word becomes a quoted term, so that nothing in it is syntax; any of them is enough. FTS5 splits a quoted term
 * such as `foo-bar` once more and looks for its parts side by side.
 *
 * @returns null where no word has a letter or a digit: nothing can be found
 */
export function searchExpression(query: string): string | null {
  const words = query.toWellFormed().split(/[\s\p{C}]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const terms = [...new Set(words)].slice(0, MAX_TERMS).map((word) => `"${word.replaceAll('"', '""')}"`);
  return terms.length === 0 ? null : terms.join(" OR ");
}
