/**
 * The bytes of a text in pieces, as a file gives them.
 *
 * @module
 */

/** @param sizes of the pieces, over and over; the last is what is left */
export async function* pieces(
  bytes: Uint8Array,
  sizes: readonly number[] = [65_536],
): AsyncGenerator<Uint8Array> {
  let turn = 0;
  for (let at = 0; at < bytes.length;) {
    const size = Math.max(1, sizes[turn++ % sizes.length] ?? 1);
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
