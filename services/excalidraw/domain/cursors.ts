/**
 * Lets through so many moves of each cursor a second: the first at once, then the latest one when its time has come.
 * What was overtaken is never told, and nothing is remembered of a cursor that rests.
 *
 * @module
 */
import type { Cancel, Clock } from "../../../src/ports/clock.ts";
import { Refusal } from "../../../src/protocol/errors.ts";

interface Pace {
  /** Tells the latest move; null where it was told. */
  tell: (() => void) | null;
  timer: Cancel;
}

export interface CursorOptions {
  readonly clock: Pick<Clock, "after">;
  /** Time between two moves of a cursor that are told, in milliseconds. 0: every one is told. */
  readonly intervalMs: number;
  /** Cursors in motion at a time. */
  readonly most: number;
  /** A move that was held could not be told. */
  readonly onError: (error: unknown) => void;
}

export class Cursors {
  readonly #options: CursorOptions;
  readonly #moving = new Map<string, Pace>();

  constructor(options: CursorOptions) {
    this.#options = options;
  }

  /** Cursors in motion. */
  get count(): number {
    return this.#moving.size;
  }

  /**
   * Tell a move now, or in a moment unless a later one comes.
   *
   * @returns whether it was told now
   * @throws {Refusal} RATE_LIMIT_EXCEEDED where too many cursors move; and what `tell` throws
   */
  move(key: string, tell: () => void): boolean {
    const { intervalMs, most } = this.#options;
    const pace = this.#moving.get(key);
    if (pace) {
      pace.tell = tell;
      return false;
    }
    if (intervalMs > 0 && this.#moving.size >= most) {
      throw new Refusal(
        "RATE_LIMIT_EXCEEDED",
        `${most} cursors move already, which is the most (setting cursors): try again in a moment`,
      );
    }
    tell();
    if (intervalMs > 0) this.#moving.set(key, { tell: null, timer: this.#wait(key) });
    return true;
  }

  /** Drop what is held of a cursor. */
  forget(key: string): void {
    const pace = this.#moving.get(key);
    if (pace) pace.tell = null;
  }

  stop(): void {
    for (const { timer } of this.#moving.values()) timer();
    this.#moving.clear();
  }

  #wait(key: string): Cancel {
    return this.#options.clock.after(this.#options.intervalMs, () => this.#due(key));
  }

  #due(key: string): void {
    const pace = this.#moving.get(key);
    const tell = pace?.tell;
    if (!pace || !tell) {
      this.#moving.delete(key);
      return;
    }
    pace.tell = null;
    pace.timer = this.#wait(key);
    try {
      tell();
    } catch (error) {
      this.#options.onError(error);
    }
  }
}
