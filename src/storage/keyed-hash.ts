/**
 * A hash of bytes for tables whose keys come from outside: HalfSipHash-1-3 with a key of this process, so that nobody can
 * choose names that all fall into one place.
 *
 * @module
 */

let key: Int32Array | null = null;

/** 32 bits of the first `count` words. */
export function keyedHash(words: Int32Array, count: number): number {
  key ??= crypto.getRandomValues(new Int32Array(2));
  let v0 = key[0]!;
  let v1 = key[1]!;
  let v2 = 0x6c796765 ^ v0;
  let v3 = 0x74656462 ^ v1;
  // The last word is the count, and three more rounds finish.
  for (let i = 0; i < count + 4; i++) {
    const word = i < count ? words[i]! : i === count ? count : 0;
    if (i === count + 1) v2 ^= 0xff;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return v1 ^ v3;
}
