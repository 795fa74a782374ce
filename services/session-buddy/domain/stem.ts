/**
 * Porter's stemmer, as the full-text index uses it: which forms of an English word are one word.
 *
 * @module
 */

/** Longer and shorter words are their own stems. */
const LENGTHS = { least: 3, most: 64 };

/** Ends that step 2 and step 3 replace where a syllable stands before them. The longer of two comes first. */
const REPLACED: readonly (readonly (readonly [end: string, by: string])[])[] = [
  [
    ...[["ational", "ate"], ["tional", "tion"], ["enci", "ence"], ["anci", "ance"], ["izer", "ize"]] as const,
    ...[["logi", "log"], ["bli", "ble"], ["alli", "al"], ["entli", "ent"], ["eli", "e"]] as const,
    ...[["ousli", "ous"], ["ization", "ize"], ["ation", "ate"], ["ator", "ate"], ["alism", "al"]] as const,
    ...[["iveness", "ive"], ["fulness", "ful"], ["ousness", "ous"], ["aliti", "al"]] as const,
    ...[["iviti", "ive"], ["biliti", "ble"]] as const,
  ],
  [
    ...[["icate", "ic"], ["ative", ""], ["alize", "al"], ["iciti", "ic"], ["ical", "ic"]] as const,
    ...[["ful", ""], ["ness", ""]] as const,
  ],
];

/** Ends that step 4 takes away where two syllables stand before them. */
const TAKEN = "al ance ence er ic able ible ant ement ment ent ion ou ism ate iti ous ive ize".split(" ");

/** @param word in lower case, without diacritics */
export function stem(word: string): string {
  if (word.length < LENGTHS.least || word.length > LENGTHS.most) return word;
  let text = withoutTense(withoutPlural(word));
  if (text.endsWith("y") && hasVowel(text.slice(0, -1))) text = `${text.slice(0, -1)}i`;
  for (const ends of REPLACED) {
    const found = ends.find(([end]) => text.length > end.length && text.endsWith(end));
    const before = found ? text.slice(0, -found[0].length) : "";
    if (found && syllables(before) > 0) text = before + found[1];
  }
  return tidied(withoutEnd(text));
}

function withoutPlural(word: string): string {
  if (!word.endsWith("s")) return word;
  if (word.endsWith("sses") || (word.endsWith("ies"))) return word.slice(0, -2);
  return word.endsWith("ss") ? word : word.slice(0, -1);
}

function withoutTense(word: string): string {
  if (word.endsWith("eed")) return syllables(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const end = ["ed", "ing"].find((one) => word.endsWith(one) && hasVowel(word.slice(0, -one.length)));
  if (end === undefined) return word;
  const text = word.slice(0, -end.length);
  if (/(?:at|bl|iz)$/.test(text)) return `${text}e`;
  if (/([^aeiou])\1$/.test(text) && !/[lsz]$/.test(text)) return text.slice(0, -1);
  return syllables(text) === 1 && endsShort(text) ? `${text}e` : text;
}

function withoutEnd(word: string): string {
  const end = TAKEN.find((one) => word.length > one.length && word.endsWith(one));
  if (end === undefined) return word;
  const before = word.slice(0, -end.length);
  return syllables(before) > 1 && (end !== "ion" || /[st]$/.test(before)) ? before : word;
}

function tidied(word: string): string {
  let text = word;
  if (text.endsWith("e")) {
    const before = text.slice(0, -1);
    const count = syllables(before);
    if (count > 1 || (count === 1 && !endsShort(before))) text = before;
  }
  return text.endsWith("ll") && syllables(text.slice(0, -1)) > 1 ? text.slice(0, -1) : text;
}

/** Each letter as `v` for a vowel, `c` for any other; `y` after a consonant is a vowel. */
function shape(text: string): string {
  let letters = "";
  for (const letter of text) {
    const vowel = "aeiou".includes(letter) || (letter === "y" && letters.endsWith("c"));
    letters += vowel ? "v" : "c";
  }
  return letters;
}

function hasVowel(text: string): boolean {
  return shape(text).includes("v");
}

/** How many times a consonant follows a vowel. */
function syllables(text: string): number {
  return shape(text).split("vc").length - 1;
}

function endsShort(text: string): boolean {
  return shape(text).endsWith("cvc") && !/[wxy]$/.test(text);
}
