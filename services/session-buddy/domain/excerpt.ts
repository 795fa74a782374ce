/**
 * Long texts, shortened for lists.
 *
 * @module
 */
import { type Word, wordsOf } from "./words.ts";

/** Words of an excerpt. */
const EXCERPT_WORDS = 32;
/** Finds that are looked at, from the beginning of the text. Only a text made for it has more. */
const MAX_FOUND = 8_192;

/** A phrase of a search, found at a word of the text. */
interface Found {
  readonly at: number;
  readonly phrase: number;
  readonly words: number;
}

/** The first `length` UTF-16 units, the last of them an ellipsis where something was cut. Never half a character. */
export function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  const cut = text.slice(0, length - 1);
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}…`;
}

/**
 * The 32 words of a text that hold most of the phrases, preferably from the beginning of a sentence; the first ones
 * where it holds none. The choice is that of `snippet()` of FTS5, whose time grows with the square of what it finds,
 * while this looks at each word and each find a few times only.
 *
 * @param phrases each as one text; see `searchTerms`
 */
export function excerptOf(text: string, phrases: readonly string[]): string {
  const words = wordsOf(text);
  const start = bestStart(text, words, find(words, phrases));
  const first = words[start];
  const last = words[start + EXCERPT_WORDS - 1];
  const from = start === 0 || !first ? 0 : first.start;
  const isEnd = start + EXCERPT_WORDS >= words.length;
  const to = isEnd || !last ? text.length : last.end;
  return `${start > 0 ? "…" : ""}${text.slice(from, to)}${isEnd ? "" : "…"}`;
}

/** By place, and of one place by phrase. */
function find(words: readonly Word[], phrases: readonly string[]): Found[] {
  const byFirst = new Map<string, { phrase: number; stems: string[] }[]>();
  for (const [phrase, text] of phrases.entries()) {
    const stems = wordsOf(text).map(({ stem }) => stem);
    const [first] = stems;
    if (first === undefined) continue;
    const alike = byFirst.get(first) ?? [];
    byFirst.set(first, alike);
    alike.push({ phrase, stems });
  }
  const found: Found[] = [];
  for (const [at, word] of words.entries()) {
    for (const { phrase, stems } of byFirst.get(word.stem) ?? []) {
      if (stems.every((stem, index) => words[at + index]?.stem === stem)) {
        found.push({ at, phrase, words: stems.length });
      }
    }
    if (found.length >= MAX_FOUND) break;
  }
  return found;
}

/** Finds within a window of words that only moves forward. */
class Window {
  readonly #found: readonly Found[];
  readonly #counts = new Map<number, number>();
  #first = 0;
  #end = 0;

  constructor(found: readonly Found[]) {
    this.#found = found;
  }

  /** Move on to this word. A phrase counts 1000 the first time and 1 each other time. */
  score(start: number): number {
    while ((this.#found[this.#end]?.at ?? Infinity) < start + EXCERPT_WORDS) this.#count(this.#end++, 1);
    while (this.#first < this.#end && this.#found[this.#first]!.at < start) this.#count(this.#first++, -1);
    return this.#counts.size * 999 + this.#end - this.#first;
  }

  /** Where an excerpt begins in whose middle the finds stand. */
  centred(total: number): number {
    const first = this.#found[this.#first]!;
    const last = this.#found[this.#end - 1]!;
    const start = first.at - Math.trunc((EXCERPT_WORDS - (last.at + last.words - first.at)) / 2);
    return Math.max(0, Math.min(start, total - EXCERPT_WORDS));
  }

  #count(index: number, by: number): void {
    const { phrase } = this.#found[index]!;
    const count = (this.#counts.get(phrase) ?? 0) + by;
    if (count === 0) this.#counts.delete(phrase);
    else this.#counts.set(phrase, count);
  }
}

function bestStart(text: string, words: readonly Word[], found: readonly Found[]): number {
  const sentences = words.flatMap((_, index) => beginsSentence(text, words, index) ? [index] : []);
  const fromFind = new Window(found);
  const fromSentence = new Window(found);
  let best = { score: 0, start: 0 };
  let sentence = 0;
  for (const { at } of found) {
    const score = fromFind.score(at);
    if (score > best.score) best = { score, start: fromFind.centred(words.length) };
    if (words.length <= EXCERPT_WORDS) continue;
    while ((sentences[sentence + 1] ?? Infinity) <= at) sentence++;
    const start = sentences[sentence] ?? 0;
    if (start >= at) continue;
    const bonus = start === 0 ? 120 : 100;
    const whole = fromSentence.score(start) + bonus;
    if (whole > best.score) best = { score: whole, start };
  }
  return best.start;
}

function beginsSentence(text: string, words: readonly Word[], index: number): boolean {
  if (index === 0) return true;
  return /[.:][ \t\r\n]*$/.test(text.slice(words[index - 1]!.end, words[index]!.start));
}
