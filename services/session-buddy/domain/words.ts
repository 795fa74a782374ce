/**
 * Words of a text as the full-text index sees them: runs of letters and digits, without regard to case, accents and
 * endings.
 *
 * @module
 */
import { stem } from "./stem.ts";

export interface Word {
  /** Where it stands in the text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  readonly stem: string;
}

const WORD = /[\p{L}\p{N}\p{Co}][\p{L}\p{N}\p{Co}\p{M}]*/gu;
const ASCII = /^[\0-\x7f]*$/;

/** All words of a text, in order. Takes a time that grows with the text's length and no faster. */
export function wordsOf(text: string): Word[] {
  const stems = new Map<string, string>();
  return Array.from(text.matchAll(WORD), ({ 0: word, index }) => {
    let known = stems.get(word);
    if (known === undefined) stems.set(word, known = stem(folded(word)));
    return { start: index, end: index + word.length, stem: known };
  });
}

function folded(word: string): string {
  const plain = ASCII.test(word) ? word : word.normalize("NFD").replaceAll(/\p{M}/gu, "");
  return plain.toLowerCase();
}
