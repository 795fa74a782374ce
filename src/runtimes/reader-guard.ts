/**
 * The one way by which a runtime calls a reader. It keeps the promise of `SocketReader` whatever the runtime does:
 * calls come one at a time, `closed` comes once and last, and nothing that a reader throws, now or later, gets out.
 *
 * @module
 */
import type { Log } from "../ports/log.ts";
import type { Accept, Socket, SocketReader } from "../ports/socket.ts";
import { CLOSE_CODES } from "../protocol/close-codes.ts";

const NOBODY: SocketReader = { message() {}, alive() {}, closed() {} };

/** A reader with a wall around it. */
export class ReaderGuard implements SocketReader {
  readonly #log: Log;
  #reader: SocketReader = NOBODY;
  /** True while a call is under way: Bun, for one, reports a close from inside `close()`. */
  #busy = true;
  #over = false;
  #waiting: (() => void)[] | undefined;

  /** Hand an open socket over. Where `accept` throws, the socket is closed with 1011. */
  constructor(accept: Accept, socket: Socket, log: Log) {
    this.#log = log;
    try {
      const reader: unknown = accept(socket);
      if (reader instanceof Promise) {
        throw new TypeError("Expected a reader, got a promise: `accept` must not be async");
      }
      this.#reader = reader as SocketReader;
    } catch (error) {
      this.#report("accept", error);
      socket.close(CLOSE_CODES.INTERNAL.code, "");
    }
    this.#busy = false;
    this.#next();
  }

  message(data: string | Uint8Array): void {
    if (this.#over) return;
    if (this.#busy) this.#wait(() => this.#call("message", () => this.#reader.message(data)));
    else {
      this.#call("message", () => this.#reader.message(data));
      this.#next();
    }
  }

  alive(): void {
    if (this.#over) return;
    if (this.#busy) this.#wait(() => this.#call("alive", () => this.#reader.alive()));
    else {
      this.#call("alive", () => this.#reader.alive());
      this.#next();
    }
  }

  closed(code: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    const work = () => {
      const reader = this.#reader;
      this.#reader = NOBODY;
      this.#call("closed", () => reader.closed(code, reason));
    };
    if (this.#busy) this.#wait(work);
    else work();
  }

  #wait(work: () => void): void {
    (this.#waiting ??= []).push(work);
  }

  #next(): void {
    for (let work = this.#waiting?.shift(); work; work = this.#waiting?.shift()) work();
    this.#waiting = undefined;
  }

  #call(name: string, work: () => unknown): void {
    this.#busy = true;
    try {
      const result = work();
      if (result instanceof Promise) result.catch((error) => this.#report(name, error));
    } catch (error) {
      this.#report(name, error);
    }
    this.#busy = false;
  }

  #report(name: string, error: unknown): void {
    const problem = error instanceof Error ? error : new Error(String(error));
    this.#log.error("A socket's reader failed", { call: name, error: problem });
  }
}
