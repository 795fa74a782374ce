/**
 * One connection that speaks a dialect: opens the conversation, joins a channel, publishes and asks.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { deferred } from "./deferred.ts";
import { type DialectName, DIALECTS } from "./dialects.ts";
import { RawWebSocket } from "./web-socket.ts";

/** Frames of a subscriber that are shorter are no events. */
const LEAST_EVENT_BYTES = 20;

export interface Listener {
  /** An event: bytes `from` to `to`, to be read before this returns. */
  event(bytes: Buffer, from: number, to: number): void;
  /** An answer to what was published or asked. */
  answer(speaker: Speaker): void;
}

export class Speaker {
  /** How many of its requests are not answered. */
  outstanding = 0;
  readonly #dialect;
  readonly #listener: Listener;
  readonly #socket: RawWebSocket;
  readonly #ready = deferred();
  #joined = deferred();
  #isReady = false;
  #isJoined = false;
  #isClosing = false;
  #id = 0;

  constructor(port: number, dialect: DialectName, listener: Listener) {
    this.#dialect = DIALECTS[dialect];
    this.#listener = listener;
    this.#ready.promise.catch(() => {});
    this.#socket = new RawWebSocket(port, this.#dialect.path, {
      open: () => this.#opened(null),
      text: (bytes, from, to) => this.#text(bytes, from, to),
      end: (reason) => this.#ended(reason),
    });
  }

  /** Resolves when something can be asked. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  async join(channel: string): Promise<void> {
    await this.ready;
    this.#joined = deferred();
    this.#joined.promise.catch(() => {});
    this.#isJoined = false;
    this.#socket.send(this.#dialect.join(channel));
    await this.#joined.promise;
  }

  /** Say something whose answer is told to the listener. */
  ask(request: (id: number) => string): void {
    this.outstanding++;
    this.#socket.send(request(++this.#id));
  }

  close(): void {
    this.#isClosing = true;
    this.#socket.close();
  }

  #text(bytes: Buffer, from: number, to: number): void {
    if (this.#isJoined && to - from >= LEAST_EVENT_BYTES) return this.#listener.event(bytes, from, to);
    const text = bytes.toString("utf8", from, to);
    const reply = this.#dialect.keepAlive(text);
    if (reply !== null) return this.#socket.send(reply);
    if (!this.#isReady) return this.#opened(text);
    if (this.#outstandingAnswer(text)) return;
    if (!this.#isJoined && this.#dialect.isJoined(text)) {
      this.#isJoined = true;
      this.#joined.resolve();
    }
  }

  #outstandingAnswer(text: string): boolean {
    if (this.outstanding === 0 || !this.#dialect.isAnswer(text)) return false;
    this.outstanding--;
    this.#listener.answer(this);
    return true;
  }

  #opened(text: string | null): void {
    const greeting = this.#dialect.greet(text);
    if (greeting !== null) this.#socket.send(greeting);
    if (!this.#dialect.isReady(text)) return;
    this.#isReady = true;
    this.#ready.resolve();
  }

  #ended(reason: string): void {
    if (this.#isClosing) return;
    const error = new Error(`A connection has ended: ${reason}`);
    this.#ready.reject(error);
    this.#joined.reject(error);
    if (this.#isJoined || this.outstanding > 0) throw error;
  }
}
