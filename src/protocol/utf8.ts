/**
 * Texts in UTF-8, as far as only their length or a word about their content is needed: the engine writes them into the
 * same bytes again and again, several times faster than code that looks at each character.
 *
 * @module
 */

const encoder = new TextEncoder();
const words = new Int32Array(1 << 14);
const scratch = new Uint8Array(words.buffer);
/** A UTF-16 unit has at most three bytes, and the last word may have to be filled. */
const LONGEST = Math.floor(scratch.length / 3) - words.BYTES_PER_ELEMENT;

/** Length of a text in UTF-8 bytes. */
export function utf8Length(text: string): number {
  if (text.length > LONGEST) return encoder.encode(text).length;
  return encoder.encodeInto(text, scratch).written;
}

/**
 * Twelve plain characters that are hardly ever the same for two texts, unless somebody wants them to be: no secret and no
 * defence.
 */
export function fingerprint(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9 ^ text.length;
  for (let from = 0; from < text.length; from += LONGEST) {
    const bytes = encoder.encodeInto(text.slice(from, from + LONGEST), scratch).written;
    scratch[bytes] = scratch[bytes + 1] = scratch[bytes + 2] = 0;
    const count = (bytes + 3) >> 2;
    for (let i = 0; i < count; i++) {
      a = Math.imul(a ^ words[i]!, 0x85ebca6b);
      a ^= a >>> 15;
      b = Math.imul(b + words[i]!, 0xc2b2ae35);
      b ^= b >>> 13;
    }
  }
  return sixCharacters(a) + sixCharacters(b);
}

/** 32 bits, six to a character. */
function sixCharacters(bits: number): string {
  return String.fromCharCode(
    48 + (bits & 63),
    48 + ((bits >>> 6) & 63),
    48 + ((bits >>> 12) & 63),
    48 + ((bits >>> 18) & 63),
    48 + ((bits >>> 24) & 63),
    48 + (bits >>> 30),
  );
}
