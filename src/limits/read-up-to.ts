/**
 * Bodies of HTTP requests, read within a bound.
 *
 * @module
 */

/** A body that did not come to its end: its client is gone, or has sent what is no body. */
export class BodyCutShort extends Error {
  override readonly name = "BodyCutShort";
}

/**
 * All bytes of a body; null where there are more than `maxBytes`, as soon as that many have come.
 *
 * @throws {BodyCutShort}
 */
export async function readUpTo(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body?.getReader();
  const next = async () => {
    try {
      return await reader?.read();
    } catch (cause) {
      throw new BodyCutShort("The body did not come to its end", { cause });
    }
  };
  for (let part = await next(); part?.value !== undefined; part = await next()) {
    length += part.value.byteLength;
    if (length > maxBytes) {
      // Not cancelled, which on Bun would close the connection before the refusal is out.
      reader!.releaseLock();
      return null;
    }
    chunks.push(part.value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
