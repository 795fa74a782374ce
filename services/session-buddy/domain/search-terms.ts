/**
 * What a person types into a search, as an FTS5 expression.
 *
 * @module
 */
import { wordsOf } from "./words.ts";

/** Terms of a search, and words in all of them: what a search costs grows with both. */
const MAX_TERMS = 32;
const MAX_WORDS = 32;

/**
 * The terms of a query, any of which is enough. FTS5 splits a term such as `foo-bar` once more and looks for its parts
 * side by side. None where no word has a letter or a digit: nothing can be found.
 */
export function searchTerms(query: string): string[] {
  const texts = query.toWellFormed().split(/[\s\p{C}]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const terms: string[] = [];
  let left = MAX_WORDS;
  for (const text of [...new Set(texts)].slice(0, MAX_TERMS)) {
    const words = wordsOf(text);
    if (left <= 0) break;
    const last = words[left - 1];
    terms.push(words.length > left && last ? text.slice(0, last.end) : text);
    left -= Math.max(1, words.length);
  }
  return terms;
}

/** Each term becomes a quoted one, so that nothing in it is syntax. */
export function searchExpression(terms: readonly string[]): string {
  return terms.map((term) => `"${term.replaceAll('"', '""')}"`).join(" OR ");
}
