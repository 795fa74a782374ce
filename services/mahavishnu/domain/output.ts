/**
 * What a child writes, in bounded memory: the beginning and the end, half of the bound each.
 *
 * @module
 */

export interface OutputText {
  /** Both ends; where something is left out between them, a line says how much. */
  readonly text: string;
  readonly totalBytes: number;
  readonly omittedBytes: number;
}

/** Longest `output_tail`, in UTF-16 units. */
const TAIL_LENGTH = 1_024;

export class Output {
  readonly #half: number;
  readonly #head: Uint8Array;
  #headLength = 0;
  /** Written in circles. */
  readonly #tail: Uint8Array;
  /** Bytes that have gone to the tail so far. */
  #past = 0;

  constructor(bound: number) {
    this.#half = Math.floor(bound / 2);
    this.#head = new Uint8Array(this.#half);
    this.#tail = new Uint8Array(this.#half);
  }

  add(bytes: Uint8Array): void {
    const first = bytes.subarray(0, this.#half - this.#headLength);
    this.#head.set(first, this.#headLength);
    this.#headLength += first.length;
    let rest = bytes.subarray(first.length);
    this.#past += rest.length;
    rest = rest.subarray(Math.max(0, rest.length - this.#half));
    const start = (this.#past - rest.length) % this.#half;
    const fits = rest.subarray(0, this.#half - start);
    this.#tail.set(fits, start);
    this.#tail.set(rest.subarray(fits.length), 0);
  }

  /** Add a line of ours. */
  note(line: string): void {
    this.add(new TextEncoder().encode(`${line}\n`));
  }

  read(): OutputText {
    const totalBytes = this.#headLength + this.#past;
    const head = this.#head.subarray(0, this.#headLength);
    if (this.#past <= this.#half) {
      const whole = new Uint8Array(totalBytes);
      whole.set(head);
      whole.set(this.#tail.subarray(0, this.#past), head.length);
      return { text: decoded(whole), totalBytes, omittedBytes: 0 };
    }
    const start = this.#past % this.#half;
    const tail = new Uint8Array(this.#half);
    tail.set(this.#tail.subarray(start));
    tail.set(this.#tail.subarray(0, start), this.#half - start);
    const omittedBytes = this.#past - this.#half;
    const text = `${decoded(head)}\n[... ${omittedBytes} bytes left out ...]\n${decoded(tail)}`;
    return { text, totalBytes, omittedBytes };
  }
}

/** The end of an output. */
export function tailOf(text: string, length: number = TAIL_LENGTH): string {
  return text.slice(Math.max(0, text.length - length)).toWellFormed();
}

/** NUL is shown as what cannot be shown: not every reader of text goes on after it. */
function decoded(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replaceAll("\0", "\ufffd");
}
