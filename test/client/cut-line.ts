/**
 * Real WebSockets for a client, whose connections break after as many messages as a test says: the same place in a
 * conversation on a fast machine and on a slow one. What the client says at once arrives message by message, with other
 * work of the server between them, as it does over a network.
 *
 * @module
 */
import { WebSocket } from "ws";
import type { WebSocketClass, WebSocketLike } from "../../src/client/mod.ts";

export class CutLine {
  /** For the client. */
  readonly WebSocket: WebSocketClass;
  /** How often a connection has been cut. */
  cuts = 0;
  readonly #onCut: () => void;
  /** Messages that still come through. */
  #left = Infinity;

  /** @param onCut called after each cut */
  constructor(onCut: () => void) {
    this.#onCut = onCut;
    const passed = (): boolean => --this.#left <= 0;
    const cut = (): void => this.#cut();
    this.WebSocket = class implements WebSocketLike {
      onopen: WebSocketLike["onopen"] = null;
      onmessage: WebSocketLike["onmessage"] = null;
      onclose: WebSocketLike["onclose"] = null;
      onerror: WebSocketLike["onerror"] = null;
      readonly #socket: WebSocket;
      readonly #waiting: string[] = [];
      #isCut = false;

      constructor(url: string) {
        const socket = this.#socket = new WebSocket(url);
        socket.on("open", () => this.onopen?.({} as never));
        socket.on("message", (data) => {
          // What was read with the last message is lost with the connection.
          if (this.#isCut) return;
          this.onmessage?.({ data: String(data) } as never);
          if (!passed()) return;
          this.#isCut = true;
          cut();
          socket.terminate();
        });
        socket.on("error", ({ message }) => this.onerror?.({ message } as never));
        socket.on("close", (code, reason) => this.onclose?.({ code, reason: String(reason) } as never));
      }

      send(text: string): void {
        if (this.#waiting.push(text) === 1) setImmediate(() => this.#sendNext());
      }

      #sendNext(): void {
        // Without a listener it would throw where the connection has broken meanwhile.
        this.#socket.send(this.#waiting.shift()!, () => {});
        if (this.#waiting.length > 0) setImmediate(() => this.#sendNext());
      }

      close(code?: number): void {
        this.#socket.close(code);
      }

      terminate(): void {
        this.#socket.terminate();
      }
    };
  }

  /** Cut the connection, this one or the next, as soon as so many more messages have come over it: at least one. */
  cutAfter(messages: number): void {
    this.#left = messages;
  }

  #cut(): void {
    this.#left = Infinity;
    this.cuts++;
    this.#onCut();
  }
}
