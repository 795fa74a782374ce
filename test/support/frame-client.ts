/**
 * A client that speaks in frames, over a real WebSocket.
 *
 * @module
 */
import { once } from "node:events";
import { type ClientOptions, WebSocket } from "ws";

/** A frame as it was read. */
// deno-lint-ignore no-explicit-any
export type Received = Record<string, any>;

/** How long a frame or an end is waited for, on a busy machine. */
const PATIENCE_MS = 10_000;

export class FrameClient {
  readonly ws: WebSocket;
  /** Every frame so far, oldest first. */
  readonly frames: Received[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #waiting = new Set<() => void>();
  #read = 0;
  #requests = 0;
  #over = false;

  /** Begin to connect. `open` waits for it. */
  constructor(url: string, options: ClientOptions = {}) {
    this.ws = new WebSocket(url, options);
    this.ws.on("message", (data) => {
      this.frames.push(JSON.parse(String(data)));
      this.#wake();
    });
    this.ws.on("error", () => {});
    this.closed = new Promise((resolve) =>
      this.ws.on("close", (code: number, reason: Buffer) => {
        this.#over = true;
        this.#wake();
        resolve({ code, reason: String(reason) });
      })
    );
  }

  static async open(url: string, options: ClientOptions = {}): Promise<FrameClient> {
    const client = new FrameClient(url, options);
    await once(client.ws, "open");
    return client;
  }

  /** Send a frame, or text or bytes as they are. */
  send(frame: object | string | Uint8Array): void {
    this.ws.send(typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame));
  }

  /** The next frame that was not read yet. */
  async next(): Promise<Received> {
    await this.#until(() => this.frames.length > this.#read, "another frame");
    return this.frames[this.#read++]!;
  }

  /** The first frame, read or not, that `matches`. */
  async frame(matches: (frame: Received) => boolean): Promise<Received> {
    await this.#until(() => this.frames.some(matches), "a frame that matches");
    return this.frames.find(matches)!;
  }

  /** The first frame of an event, in a channel where one is named. */
  event(name: string, room?: string): Promise<Received> {
    return this.frame((frame) =>
      frame.type === "event" && frame.event === name && (room === undefined || frame.room === room)
    );
  }

  /** Send a request and wait for what answers it, an error included. */
  async request(event: string, data: object = {}, more: object = {}): Promise<Received> {
    const id = `request-${++this.#requests}`;
    this.send({ type: "request", id, event, data, ...more });
    return await this.frame((frame) => frame.correlation_id === id);
  }

  /** Events of a channel so far. */
  events(room: string): Received[] {
    return this.frames.filter((frame) => frame.type === "event" && frame.room === room);
  }

  async close(): Promise<void> {
    this.ws.close();
    await this.closed;
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    if (holds()) return;
    const came = () => this.frames.slice(-3).map((frame) => JSON.stringify(frame).slice(0, 300)).join("\n");
    await new Promise<void>((resolve, reject) => {
      const end = (error?: Error) => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        if (error) reject(error);
        else resolve();
      };
      const check = () => {
        if (holds()) return end();
        if (this.#over) end(new Error(`Expected ${what}, got the connection's end after:\n${came()}`));
      };
      const timer = setTimeout(
        () => end(new Error(`Expected ${what}, got none in ${PATIENCE_MS} ms after:\n${came()}`)),
        PATIENCE_MS,
      );
      this.#waiting.add(check);
      check();
    });
  }

  #wake(): void {
    for (const check of [...this.#waiting]) check();
  }
}

/** Try to connect where the server is to refuse: the answer's status and body. */
export async function refusedUpgrade(
  url: string,
  options: ClientOptions = {},
): Promise<{ status: number; body: string }> {
  const ws = new WebSocket(url, options);
  ws.on("error", () => {});
  const response = await new Promise<import("node:http").IncomingMessage>((resolve, reject) => {
    ws.once("unexpected-response", (_request, response) => resolve(response));
    ws.once("open", () => {
      ws.terminate();
      reject(new Error(`Expected ${url} to refuse, got a connection`));
    });
  });
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) body += chunk;
  return { status: response.statusCode ?? 0, body };
}
