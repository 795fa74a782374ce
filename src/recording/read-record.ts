/**
 * Reading a record as a stream: one line in memory at a time. A file that was cut off, as by `kill -9`, is read up to
 * its last whole line; anything else that is wrong is an error.
 *
 * @module
 */
import { parseEntry, parseHeader } from "./record-line.ts";
import { type RecordEntry, RecordError, type RecordHeader } from "./record.ts";

/** No line that is written is longer: a frame has at most 1 MiB. */
const MAX_LINE_BYTES = 4_194_304;
const NEWLINE = 0x0a;

/** `end`: it was ended in order. `cut`: its writer was ended, or wrote on when it was read. */
export type RecordEnding = "end" | "cut";

export interface Recording {
  readonly header: RecordHeader;
  /** How it ends; null before all of it was read. */
  readonly ending: RecordEnding | null;
  /**
   * What came, in order, to be read once. Leaving the loop lets go of the file.
   *
   * @throws {RecordError} at the first line that is none.
   */
  entries(): AsyncGenerator<RecordEntry, void, undefined>;
}

/**
 * Read the header of a record.
 *
 * @param chunks its bytes, in pieces of any size
 * @param name of the file, for messages
 * @throws {RecordError} where it is no record, or one that is newer than this reader.
 */
export async function openRecord(chunks: AsyncIterable<Uint8Array>, name: string): Promise<Recording> {
  const lines = linesOf(chunks, name);
  const first = await lines.next();
  if (first.done) throw new RecordError(`${name}: expected a record, got an empty file`);
  const parsed = parseHeader(first.value.text);
  if (!parsed.ok) {
    await lines.return();
    throw new RecordError(`${name}:1: ${parsed.fault}`);
  }
  return new OpenRecording(parsed.line, lines, name);
}

interface Line {
  readonly number: number;
  readonly text: string;
  /** Nothing ends it. */
  readonly isOpen: boolean;
}

class OpenRecording implements Recording {
  readonly header: RecordHeader;
  readonly #lines: AsyncGenerator<Line, void, undefined>;
  readonly #name: string;
  #ending: RecordEnding | null = null;

  constructor(header: RecordHeader, lines: AsyncGenerator<Line, void, undefined>, name: string) {
    this.header = header;
    this.#lines = lines;
    this.#name = name;
  }

  get ending(): RecordEnding | null {
    return this.#ending;
  }

  async *entries(): AsyncGenerator<RecordEntry, void, undefined> {
    let at = 0;
    let events = 0;
    let hasEnd = false;
    for await (const { number, text, isOpen } of this.#lines) {
      const fail = (fault: string) => new RecordError(`${this.#name}:${number}: ${fault}`);
      if (hasEnd) throw fail('expected nothing after the line of type "end", got another line');
      const parsed = parseEntry(text);
      if (!parsed.ok) {
        if (isOpen) break;
        throw fail(parsed.fault);
      }
      const entry = parsed.line;
      if (entry.at < at) {
        throw fail(`expected "at" of ${at} or more, as the line before has, got ${entry.at}`);
      }
      at = entry.at;
      if (entry.type === "event") events++;
      if (entry.type === "end" && entry.events !== events) {
        throw fail(`expected "events" of ${events}, as many as stand above, got ${entry.events}`);
      }
      hasEnd = entry.type === "end";
      yield entry;
    }
    this.#ending = hasEnd ? "end" : "cut";
  }
}

async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Line, void, undefined> {
  let parts: Uint8Array[] = [];
  let length = 0;
  let number = 1;
  const add = (part: Uint8Array): void => {
    length += part.byteLength;
    if (length > MAX_LINE_BYTES) {
      throw new RecordError(
        `${name}:${number}: expected a line of at most ${MAX_LINE_BYTES} bytes, got a longer one: this is no record`,
      );
    }
    if (part.byteLength > 0) parts.push(part);
  };
  const take = (isOpen: boolean): Line => {
    const line = { number, text: textOf(parts, isOpen, `${name}:${number}`), isOpen };
    [parts, length] = [[], 0];
    number++;
    return line;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      add(chunk.subarray(start, end));
      start = end + 1;
      yield take(false);
    }
    // A copy: whoever reads may use the memory again.
    add(chunk.slice(start));
  }
  if (length > 0) yield take(true);
}

/** Of a line that is open, the last character may be cut through. */
function textOf(parts: readonly Uint8Array[], isOpen: boolean, place: string): string {
  const decoder = new TextDecoder("utf-8", { fatal: !isOpen });
  try {
    return parts.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode();
  } catch {
    throw new RecordError(`${place}: expected text in UTF-8, got other bytes`);
  }
}
