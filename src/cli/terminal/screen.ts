/**
 * Standard output of a command that goes on for a while: lines, and on a terminal one more at the bottom that says how
 * things stand.
 *
 * @module
 */
import type { Writable } from "node:stream";

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
  #status = "";
  #isGone = false;
  #last: Promise<void> = Promise.resolve();

  /**
   * @param options.hasStatus Whether the bottom line is drawn at all.
   * @param options.gone Called once, when nobody reads any more (`| head`).
   */
  constructor(stream: Writable, options: { readonly hasStatus: boolean; readonly gone: () => void }) {
    this.#stream = stream;
    this.#hasStatus = options.hasStatus;
    stream.on("error", () => {
      if (this.#isGone) return;
      this.#isGone = true;
      options.gone();
    });
  }

  /** As wide as lines may be now. */
  get columns(): number {
    return this.#stream.columns || COLUMNS;
  }

  /**
   * Resolves when the line is out, so that whoever waits writes no faster than the other side reads. Never rejects.
   *
   * @param status What the bottom line says from now on. Default: the same as before.
   */
  line(text: string, status: string = this.#status): Promise<void> {
    const under = this.#hasStatus ? status : "";
    const erase = this.#status === "" ? "" : ERASE;
    this.#status = under;
    return this.#write(`${erase}${text}\n${under}`);
  }

  /** Change the bottom line; an empty text takes it away. */
  status(text: string): void {
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
  flushed(): Promise<void> {
    return this.#last;
  }

  #write(text: string): Promise<void> {
    if (this.#isGone) return Promise.resolve();
    this.#last = new Promise((resolve) => this.#stream.write(text, () => resolve()));
    return this.#last;
  }
}
