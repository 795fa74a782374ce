/**
 * Standard input and output as lines of JSON: in bounded, out in order.
 *
 * @module
 */
import type { Writable } from "node:stream";
import { type JsonObject, type JsonValue, parseJson, stringifyJson } from "../../protocol/json.ts";
import { writeOut } from "../../runtimes/write-out.ts";

/** A longer line is refused: 4 MiB. */
export const MAX_LINE_BYTES = 4_194_304;

/** One line: a JSON value, or a sentence that says why it is none. */
export type Line = { readonly ok: true; readonly value: JsonValue } | {
  readonly ok: false;
  readonly reason: string;
};

const NEWLINE = 0x0a;

/** Lines as they become whole. Blank ones are passed over; what stands after the last newline is a line too. */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number = MAX_LINE_BYTES,
): AsyncGenerator<Line> {
  let parts: Uint8Array[] = [];
  let length = 0;
  let tooLong = false;
  const add = (part: Uint8Array): void => {
    length += part.byteLength;
    tooLong ||= length > maxBytes;
    if (tooLong) parts = [];
    else if (part.byteLength > 0) parts.push(part);
  };
  const take = (): Line | null => {
    const line = tooLong ? refusedAsLong(maxBytes) : parseLine(parts);
    [parts, length, tooLong] = [[], 0, false];
    return line;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      add(chunk.subarray(start, end));
      start = end + 1;
      const line = take();
      if (line) yield line;
    }
    add(chunk.subarray(start));
  }
  const last = take();
  if (last) yield last;
}

function refusedAsLong(maxBytes: number): Line {
  return { ok: false, reason: `The line is longer than ${maxBytes} bytes: send less at once` };
}

function parseLine(parts: readonly Uint8Array[]): Line | null {
  let text = "";
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    for (const part of parts) text += decoder.decode(part, { stream: true });
    text += decoder.decode();
  } catch {
    return { ok: false, reason: "Parse error: the line is not UTF-8" };
  }
  if (text.trim() === "") return null;
  const parsed = parseJson(text);
  return parsed.ok ? parsed : { ok: false, reason: `Parse error: ${parsed.reason}` };
}

/** Writes messages, one a line. */
export class LineWriter {
  readonly #stream: Writable;
  readonly #gone: () => void;
  #broken = false;
  #last: Promise<void> = Promise.resolve();

  /** @param gone Called once, when nobody reads any more, or nothing can be written. */
  constructor(stream: Writable, gone: () => void) {
    this.#stream = stream;
    this.#gone = gone;
  }

  /** Resolves when the line is out, so that whoever waits sends no faster than the other side reads. Never rejects. */
  write(message: JsonObject): Promise<void> {
    if (this.#broken) return Promise.resolve();
    this.#last = writeOut(this.#stream, `${stringifyJson(message)}\n`).then((failure) => {
      if (failure === null || this.#broken) return;
      this.#broken = true;
      this.#gone();
    });
    return this.#last;
  }

  /** Resolves when all is out. */
  flushed(): Promise<void> {
    return this.#last;
  }
}
