/**
 * Writing a record as a stream: lines go out at once, and whoever brings more than goes out is made to wait.
 *
 * @module
 */
import { type Clock, timestamp } from "../ports/clock.ts";
import { utf8Length } from "../protocol/utf8.ts";
import { formatLine } from "./record-line.ts";
import {
  publicAddress,
  RECORD_FORMAT,
  RECORD_VERSION,
  type RecordHeader,
  type RecordItem,
} from "./record.ts";

/** Characters that may wait to go out before whoever brings more has to wait too. */
const MAX_WAITING = 65_536;

export interface RecordWriterOptions {
  readonly clock: Clock;
  /**
   * Append some of it to the file, or all: resolves with how many bytes are out, and is called anew with the rest. Never
   * called before the call before has settled. What it rejects with is thrown by `add`.
   */
  readonly write: (bytes: Uint8Array) => Promise<number>;
}

const utf8 = new TextEncoder();

/** What is known when a record begins. */
export type RecordBeginning = Pick<RecordHeader, "service" | "url" | "channels" | "epoch">;

export class RecordWriter {
  readonly #clock: Clock;
  readonly #write: (bytes: Uint8Array) => Promise<number>;
  readonly #start: { readonly monotonic: number; readonly timestamp: string };
  #waiting = "";
  #flushing: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;
  #events = 0;
  #bytes = 0;
  #written = { events: 0, bytes: 0 };
  /** Where in the file each event ends that waits to go out. */
  readonly #ends: number[] = [];
  #isOver = false;
  #tellFailure: (error: unknown) => void = () => {};
  /** Rejects where the file could not be written, as soon as that is known. Never resolves. */
  readonly failed: Promise<never> = new Promise((_, reject) => this.#tellFailure = reject);

  /** Time counts from now on. */
  constructor({ clock, write }: RecordWriterOptions) {
    this.#clock = clock;
    this.#write = write;
    // Whoever does not look is told by the next call.
    this.failed.catch(() => {});
    this.#start = { monotonic: clock.monotonic(), timestamp: timestamp(clock) };
  }

  /** Events so far, those that wait to go out included. */
  get events(): number {
    return this.#events;
  }

  /** Bytes so far, those that wait to go out included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What is out: the events are whole. */
  get written(): { readonly events: number; readonly bytes: number } {
    return this.#written;
  }

  /** Milliseconds since the start. */
  get at(): number {
    return Math.round((this.#clock.monotonic() - this.#start.monotonic) * 1_000) / 1_000;
  }

  /** Write the header, and wait until it is out. To be called once, first. */
  async begin({ service, url, channels, epoch }: RecordBeginning): Promise<void> {
    await this.#put(formatLine({
      format: RECORD_FORMAT,
      version: RECORD_VERSION,
      service,
      url: publicAddress(url),
      channels,
      started_at: this.#start.timestamp,
      epoch,
    }));
    await this.#sent();
  }

  /** Write what came just now. Nothing after `end`. Rejects where the file could not be written, now or before. */
  add(item: RecordItem): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    const isEvent = item.type === "event";
    if (isEvent) this.#events++;
    return this.#put(formatLine({ at: this.at, ...item }), isEvent);
  }

  /** Write the last line, and wait until all is out. Nothing where there is one. */
  async end(reason: (RecordItem & { readonly type: "end" })["reason"]): Promise<void> {
    await this.add({ type: "end", reason, events: this.#events });
    this.#isOver = true;
    await this.#sent();
  }

  async #put(line: string, isEvent = false): Promise<void> {
    this.#check();
    this.#waiting += line;
    this.#bytes += utf8Length(line);
    if (isEvent) this.#ends.push(this.#bytes);
    this.#send();
    if (this.#waiting.length <= MAX_WAITING) return;
    await this.#flushing;
    this.#check();
  }

  #send(): void {
    this.#flushing ??= this.#flush().then(() => {
      this.#flushing = null;
      if (this.#waiting !== "") this.#send();
    });
  }

  /** Never rejects: whoever comes next is told. */
  async #flush(): Promise<void> {
    try {
      while (this.#waiting !== "") {
        let rest = utf8.encode(this.#waiting);
        this.#waiting = "";
        while (rest.byteLength > 0) {
          const count = await this.#write(rest);
          this.#wrote(count);
          rest = rest.subarray(count);
        }
      }
    } catch (error) {
      this.#failure = { error };
      this.#tellFailure(error);
      this.#waiting = "";
    }
  }

  #wrote(count: number): void {
    const bytes = this.#written.bytes + count;
    const waiting = this.#ends.findIndex((end) => end > bytes);
    const events = this.#ends.splice(0, waiting < 0 ? this.#ends.length : waiting).length;
    this.#written = { events: this.#written.events + events, bytes };
  }

  async #sent(): Promise<void> {
    while (this.#flushing) await this.#flushing;
    this.#check();
  }

  #check(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
