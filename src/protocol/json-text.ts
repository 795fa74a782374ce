/**
 * What can be told from JSON text without parsing it. All of it takes one pass, without recursion.
 *
 * @module
 */

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
/** Digits of the shortest integer that a double may not hold exactly. */
const LONG_DIGITS = 16;
const ESCAPE_LENGTH = "\\ud800".length;

/** Index of the quote that ends the string whose opening quote is at `opening`; -1 where it does not end. */
export function closingQuote(text: string, opening: number): number {
  let at = text.indexOf('"', opening + 1);
  while (at >= 0) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return at;
    at = text.indexOf('"', at + 1);
  }
  return -1;
}

/** Are arrays and objects nested more than `levels` deep? Right for well-formed text; any answer may come for other. */
export function nestsDeeperThan(text: string, levels: number): boolean {
  // Each level needs two brackets, so a text this short cannot be both: too deep and well-formed.
  if (text.length < 2 * (levels + 1)) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) {
      at = closingQuote(text, at);
      if (at < 0) return false;
      continue;
    }
    // This bit is all that tells [ from { and ] from }.
    const bracket = unit | 0x20;
    if (bracket === 0x7b && ++depth > levels) return true;
    if (bracket === 0x7d) depth--;
  }
  return false;
}

/** May the text hold an integer that a double cannot hold exactly? False alarms come from digits inside strings. */
export function mayHoldLongInteger(text: string): boolean {
  // So many digits in a row stand on every sixteenth place.
  for (let at = LONG_DIGITS - 1; at < text.length; at += LONG_DIGITS) {
    const unit = text.charCodeAt(at);
    if (unit >= 0x30 && unit <= 0x39) return /(?:^|[[,:\s])-?[1-9]\d{15,}(?![\d.eE])/.test(text);
  }
  return false;
}

/**
 * Does well-formed JSON text write half of a surrogate pair, as `"\ud800"` does? Looks at every string and key, also
 * at those that a later duplicate key replaces. Surrogates that stand unescaped are `isWellFormed`'s matter.
 */
export function hasLoneSurrogateEscape(text: string): boolean {
  let at = text.indexOf("\\");
  if (at < 0 || !/\\u[dD][89a-fA-F]/.test(text)) return false;
  while (at >= 0) {
    const unit = escapedUnit(text, at);
    let length = 2;
    if (isSurrogate(unit)) {
      const next = escapedUnit(text, at + ESCAPE_LENGTH);
      if (unit >= 0xdc00 || !isSurrogate(next) || next < 0xdc00) return true;
      length = 2 * ESCAPE_LENGTH;
    }
    at = text.indexOf("\\", at + length);
  }
  return false;
}

/** Well-formed JSON text as `JSON.stringify` writes it, with U+FFFD in place of each lone surrogate. */
export function replaceLoneSurrogateEscapes(text: string): string {
  if (text.indexOf("\\") < 0 || !text.includes("\\ud")) return text;
  // JSON.stringify escapes a surrogate only where it is alone. The second branch steps over an escaped backslash.
  return text.replace(/\\(?:ud[89a-f][0-9a-f]{2}|[^])/g, (match) => match.length === 2 ? match : "\ufffd");
}

/** The UTF-16 unit that a `\uXXXX` at `at` stands for; -1 where none stands there. */
function escapedUnit(text: string, at: number): number {
  if (text.charCodeAt(at) !== BACKSLASH || text.charCodeAt(at + 1) !== 0x75) return -1;
  return parseInt(text.slice(at + 2, at + ESCAPE_LENGTH), 16);
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
