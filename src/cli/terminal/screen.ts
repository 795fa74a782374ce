/**
 * Standard output of a command that goes on for a while: lines, and on a terminal one more at the bottom that says how
 * things stand.
 *
 * @module
 */
import type { Writable } from "node:stream";
import { writeOut } from "../../runtimes/write-out.ts";
import { cutPainted } from "./plain-text.ts";

/** Erases the line that the cursor is in. */
const ERASE = "\r\u001b[2K";
const COLUMNS = 80;

/** Whether a line that was written to the stream can be taken away again. */
export function canRedraw(
  stream: { readonly isTTY?: boolean },
  { TERM }: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && TERM !== "dumb";
}

export class Screen {
  readonly #stream: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly #hasStatus: boolean;
  readonly #gone: (failure: Error) => void;
  #status = "";
  #isGone = false;
  #last: Promise<boolean> = Promise.resolve(true);

  /**
   * @param options.hasStatus Whether the bottom line is drawn at all.
   * @param options.gone Called once, when nothing can be written any more: nobody reads (`| head`: see `isReaderGone`),
   *   or there is no space.
   */
  constructor(
    stream: Writable,
    options: { readonly hasStatus: boolean; readonly gone: (failure: Error) => void },
  ) {
    this.#stream = stream;
    this.#hasStatus = options.hasStatus;
    this.#gone = options.gone;
  }

  /** As wide as lines may be now. */
  get columns(): number {
    return this.#stream.columns || COLUMNS;
  }

  /**
   * Resolves with true when the line is out, so that whoever waits writes no faster than the other side reads, and with
   * false where it is lost. Never rejects.
   *
   * @param status What the bottom line says from now on. Default: the same as before.
   */
  line(text: string, status: string = this.#status): Promise<boolean> {
    const under = this.#hasStatus ? this.#fit(status) : "";
    const erase = this.#status === "" ? "" : ERASE;
    this.#status = under;
    return this.#write(`${erase}${text}\n${under}`);
  }

  /** Change the bottom line; an empty text takes it away. Cut where the terminal ends: more rows could not be erased. */
  status(given: string): void {
    const text = this.#fit(given);
    if (!this.#hasStatus || text === this.#status) return;
    void this.#write(`${this.#status === "" ? "" : ERASE}${text}`);
    this.#status = text;
  }

  /** What goes elsewhere, such as to standard error, which may be the same terminal. */
  beside(work: () => void): void {
    const status = this.#status;
    this.status("");
    work();
    this.status(status);
  }

  /** Resolves when all is out. */
  async flushed(): Promise<void> {
    await this.#last;
  }

  #fit(text: string): string {
    return cutPainted(text, this.columns - 1);
  }

  #write(text: string): Promise<boolean> {
    if (this.#isGone) return Promise.resolve(false);
    this.#last = writeOut(this.#stream, text).then((failure) => {
      if (failure === null) return true;
      if (!this.#isGone) {
        this.#isGone = true;
        this.#gone(failure);
      }
      return false;
    });
    return this.#last;
  }
}
