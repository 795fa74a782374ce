/**
 * The `ws` client with its messages in a queue.
 *
 * @module
 */
import { once } from "node:events";
import { type ClientOptions, WebSocket } from "ws";

export class TextClient {
  readonly ws: WebSocket;
  readonly #messages: string[] = [];
  readonly #waiting: ((message: string) => void)[] = [];
  /** Resolves with code and reason of the end. */
  readonly closed: Promise<{ code: number; reason: string }>;

  private constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on("message", (data: Buffer) => {
      const next = this.#waiting.shift();
      if (next) next(data.toString());
      else this.#messages.push(data.toString());
    });
    ws.on("error", () => {});
    this.closed = new Promise((resolve) =>
      ws.on("close", (code: number, reason: Buffer) => resolve({ code, reason: reason.toString() }))
    );
  }

  static async open(url: string, options: ClientOptions = {}): Promise<TextClient> {
    const ws = new WebSocket(url, options);
    const client = new TextClient(ws);
    await once(ws, "open");
    return client;
  }

  send(data: string | Buffer): void {
    this.ws.send(data);
  }

  /** The next message. */
  next(): Promise<string> {
    const message = this.#messages.shift();
    return message === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(message);
  }

  /** Send a command and wait for the next message. */
  ask(command: string): Promise<string> {
    this.send(command);
    return this.next();
  }

  async close(): Promise<void> {
    this.ws.close();
    await this.closed;
  }
}
