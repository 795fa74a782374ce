/**
 * The requests of a connection, one after the other. Node begins all requests of a chunk at once, however many answers
 * still wait for the client to read; the answers of a client that never reads would fill the memory.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Log } from "../ports/log.ts";
import { lingeringEnd } from "./node-lingering.ts";

/** With so many requests waiting a connection is not read from. One chunk that has been read may bring more. */
const MAX_WAITING = 16;

type Handle = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>;

interface Line {
  current: IncomingMessage | null;
  answer: ServerResponse | null;
  waiting: { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse }[];
}

export class NodeTurns {
  readonly #handle: Handle;
  readonly #log: Log;
  readonly #lines = new WeakMap<Socket, Line>();
  readonly #destroySoon = lingeringEnd((socket) => this.current(socket));

  /** @param handle Answers a request; is not asked again on a connection before that answer is out. */
  constructor(handle: Handle, log: Log) {
    this.#handle = handle;
    this.#log = log;
  }

  take(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { socket } = incoming;
    const line = this.#lineOf(socket);
    if (line.current === null) return this.#begin(line, incoming, outgoing);
    line.waiting.push({ incoming, outgoing });
    if (line.waiting.length >= MAX_WAITING) socket.pause();
  }

  /** The request whose answer is not out yet; null where there is none. */
  current(socket: Socket): IncomingMessage | null {
    return this.#lines.get(socket)?.current ?? null;
  }

  /** Whether an answer has begun to go out and is not through. */
  isAnswering(socket: Socket): boolean {
    return this.#lines.get(socket)?.answer?.headersSent ?? false;
  }

  #lineOf(socket: Socket): Line {
    const known = this.#lines.get(socket);
    if (known) return known;
    const line: Line = { current: null, answer: null, waiting: [] };
    this.#lines.set(socket, line);
    socket.destroySoon = this.#destroySoon;
    // Node starts to read again whenever the body of a request is read.
    socket.on("resume", () => {
      if (line.waiting.length >= MAX_WAITING) socket.pause();
    });
    socket.once("close", () => line.waiting = []);
    return line;
  }

  #begin(line: Line, incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { socket } = incoming;
    line.current = incoming;
    line.answer = outgoing;
    // Comes when the kernel has the answer, or when the connection is gone.
    outgoing.once("close", () => {
      line.current = null;
      line.answer = null;
      this.#next(line, socket);
    });
    this.#handle(incoming, outgoing).catch((error) => {
      this.#log.error("A request failed", { error });
      socket.destroy();
    });
  }

  #next(line: Line, socket: Socket): void {
    if (socket.destroyed || !socket.writable) {
      line.waiting = [];
      return;
    }
    const next = line.waiting.shift();
    if (!next) return;
    if (line.waiting.length === MAX_WAITING - 1) socket.resume();
    this.#begin(line, next.incoming, next.outgoing);
  }
}
