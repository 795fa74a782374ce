/**
 * The end of what a run has printed, however much that is.
 *
 * @module
 */
import { plain } from "./test-sink.ts";

const MAX_BYTES = 16_384;

export class OutputTail {
  #chunks: Uint8Array[] = [];
  #size = 0;
  #heard = 0;

  push(bytes: Uint8Array): void {
    if (bytes.byteLength === 0) return;
    this.#heard += bytes.byteLength;
    // A copy: a view would hold the whole buffer that it was cut from.
    const end = bytes.slice(Math.max(0, bytes.byteLength - MAX_BYTES));
    this.#chunks.push(end);
    this.#size += end.byteLength;
    while (this.#size - (this.#chunks[0]?.byteLength ?? 0) >= MAX_BYTES) {
      this.#size -= this.#chunks.shift()!.byteLength;
    }
  }

  /** The last 16 KiB as plain text. */
  get text(): string {
    const whole = new Uint8Array(this.#size);
    let at = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, at);
      at += chunk.byteLength;
    }
    let start = Math.max(0, whole.byteLength - MAX_BYTES);
    // What is left of a character that was cut is left out.
    if (this.#heard > whole.byteLength - start) {
      for (let more = 0; more < 3 && (whole[start]! & 0xc0) === 0x80; more++) start++;
    }
    return plain(new TextDecoder().decode(whole.subarray(start)), MAX_BYTES);
  }
}
