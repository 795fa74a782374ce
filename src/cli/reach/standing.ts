/**
 * What a person is told of a connection that comes and goes: each loss and each return, and why the server has ended it. A
 * server that ends one connection after another for the same reason is told of once.
 *
 * @module
 */
import type { Cancel, Clock } from "../../ports/clock.ts";
import { plainText } from "../terminal/plain-text.ts";

/** What a person is told while a command goes on. */
export interface Notes {
  /** The connection is lost, and is being made again. */
  readonly lost: () => void;
  readonly back: () => void;
  readonly said: (sentence: string) => void;
}

/** A connection that has lasted so long, in milliseconds, is a new beginning. */
export const LASTING_MS = 10_000;

export class Standing {
  readonly #notes: Notes;
  readonly #clock: Clock;
  #isBack = true;
  /** Why the connection before this one was ended; null where nobody has said so, or it is long ago. */
  #why: string | null = null;
  /** What was told last of this and the connections before. */
  #said: string | null = null;
  /** The server has ended two for the same reason: whether it keeps the next one must be seen first. */
  #isDoubtful = false;
  #cancel: Cancel = () => {};

  constructor(notes: Notes, clock: Clock) {
    this.#notes = notes;
    this.#clock = clock;
  }

  opened(): void {
    if (!this.#isDoubtful) this.#back();
    this.#cancel = this.#clock.after(LASTING_MS, () => {
      this.#why = null;
      this.#said = null;
      this.#isDoubtful = false;
      this.#back();
    });
  }

  lost(error: Error | null): void {
    this.#cancel();
    const why = error?.message ?? null;
    if (this.#isBack) this.#notes.lost();
    this.#isBack = false;
    this.#isDoubtful = why !== null && why === this.#why;
    if (why !== null && !this.#isDoubtful) this.said(why);
    this.#why = why;
  }

  /** What the client says besides; the same twice in a row is told once. */
  said(sentence: string): void {
    if (sentence === this.#said) return;
    this.#said = sentence;
    this.#notes.said(plainText(sentence));
  }

  /** Nothing more is told. */
  close(): void {
    this.#cancel();
  }

  #back(): void {
    if (this.#isBack) return;
    this.#isBack = true;
    this.#notes.back();
  }
}
