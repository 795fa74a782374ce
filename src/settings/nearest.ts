/**
 * The word that somebody probably meant.
 *
 * @module
 */

/** Longer words are not compared: nobody mistypes one of ours into them. */
const LONGEST = 64;

/** Steps from one word to the other: insert, delete, replace, or swap two neighbours. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let steps = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) steps = Math.min(steps, beforeLast[j - 2]! + 1);
      row.push(steps);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/** The candidate with the fewest steps, or undefined where all are too far: more than a third of the word. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > LONGEST) return undefined;
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let fewest = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const steps = editDistance(wanted, candidate);
    if (steps < fewest) [best, fewest] = [candidate, steps];
  }
  return best;
}

/**
 * Ends a sentence about a word that is not known.
 *
 * @param meant The one that `nearest` has found.
 * @param otherwise Stands there where there is none.
 */
export function meantHint(meant: string | undefined, otherwise = ""): string {
  return meant === undefined ? otherwise : `, did you mean "${meant}"?`;
}
