/**
 * A light client that subscribes to one channel with one frame and keeps what it hears, of which a test can have
 * thousands.
 *
 * @module
 */
import { WebSocket } from "ws";

export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** An event's frame, as far as it is looked at. */
export interface Heard {
  readonly event: string;
  readonly seq: number;
  readonly prev: number;
  // deno-lint-ignore no-explicit-any
  readonly data: any;
}

/** Data of the answer to a subscribe. */
export interface Subscribed extends Position {
  readonly recovered?: boolean;
  // deno-lint-ignore no-explicit-any
  readonly snapshot?: any;
}

export interface ListenOptions {
  readonly since?: Position | undefined;
  /** Address to connect from. Default: the system's choice. */
  readonly from?: string | undefined;
}

export class Listener {
  readonly ws: WebSocket;
  /** Frames that this client has sent: none before the connection is open. */
  sent = 0;
  /** Events of the channel, oldest first; a gap's frame and others that are no event of the history are in `strange`. */
  readonly events: Heard[] = [];
  readonly strange: Readonly<Record<string, unknown>>[] = [];
  /** The answer to the subscribe. Rejects where the connection ends before it. */
  readonly subscribed: Promise<Subscribed>;
  readonly closed: Promise<number>;
  readonly #channel: string;
  readonly #waiting = new Set<() => void>();
  #answer: Subscribed | null = null;

  constructor(url: string, channel: string, { since, from }: ListenOptions = {}) {
    this.#channel = channel;
    this.ws = new WebSocket(url, { perMessageDeflate: false, ...(from ? { localAddress: from } : {}) });
    let fault = "";
    this.ws.on("error", (error) => void (fault = `: ${error.message}`));
    this.ws.on("open", () => {
      this.sent++;
      this.ws.send(
        JSON.stringify({ type: "request", id: "s", event: "subscribe", data: { channel, since } }),
      );
    });
    this.closed = new Promise((resolve) => this.ws.on("close", resolve));
    this.subscribed = new Promise((resolve, reject) => {
      this.ws.on(
        "close",
        (code) => reject(new Error(`Expected an answer, got the end with ${code}${fault}`)),
      );
      this.ws.on("message", (data) => {
        this.#take(JSON.parse(String(data)));
        if (this.#answer) resolve(this.#answer);
        for (const check of [...this.#waiting]) check();
      });
    });
    this.subscribed.catch(() => {});
  }

  /** How far it has come: the answer's position, or that of the newest event. */
  get position(): Position {
    if (!this.#answer) throw new Error("Expected an answer before a position");
    return { epoch: this.#answer.epoch, seq: this.events.at(-1)?.seq ?? this.#answer.seq };
  }

  /** Resolves when what was heard `suffices`. Rejects at the connection's end. */
  until(suffices: (events: readonly Heard[]) => boolean): Promise<void> {
    if (suffices(this.events)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const check = () => {
        if (!suffices(this.events)) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      void this.closed.then((code) => {
        reject(new Error(`Expected more than ${this.events.length} events, got the end with ${code}`));
      });
    });
  }

  async close(): Promise<void> {
    this.ws.close();
    await this.closed;
  }

  // deno-lint-ignore no-explicit-any
  #take(frame: any): void {
    if (frame.correlation_id === "s" && frame.type === "response") this.#answer = frame.data;
    else if (
      frame.type === "event" && frame.room === this.#channel && frame.event !== "gap" && this.#answer
    ) {
      this.events.push({ event: frame.event, seq: frame.seq, prev: frame.prev, data: frame.data });
    } // The welcome is of no channel.
    else if (frame.type !== "event" || frame.room !== null) this.strange.push(frame);
  }
}

/** Sends requests, any number at once, and waits for their answers. */
export class Requester {
  readonly #ws: WebSocket;
  readonly #open = new Map<string, (frame: { type: string; data: unknown; error_message: string }) => void>();
  readonly #closed: Promise<void>;
  #count = 0;

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    this.#closed = new Promise((resolve) => ws.once("close", () => resolve()));
    void this.#closed.then(() => {
      const frame = { type: "error", data: null, error_message: "the connection has ended" };
      for (const settle of this.#open.values()) settle(frame);
    });
  }

  static async open(url: string): Promise<Requester> {
    const ws = new WebSocket(url, { perMessageDeflate: false });
    const requester = new Requester(ws);
    ws.on("message", (data) => {
      const frame = JSON.parse(String(data));
      requester.#open.get(frame.correlation_id)?.(frame);
      requester.#open.delete(frame.correlation_id);
    });
    await new Promise((resolve, reject) => {
      ws.once("open", resolve);
      ws.once("error", reject);
    });
    ws.on("error", () => {});
    return requester;
  }

  // deno-lint-ignore no-explicit-any
  request(event: string, data: object): Promise<any> {
    const id = `r${++this.#count}`;
    return new Promise((resolve, reject) => {
      this.#open.set(id, (frame) => {
        if (frame.type === "response") resolve(frame.data);
        else reject(new Error(`${event}: ${frame.error_message}`));
      });
      this.#ws.send(JSON.stringify({ type: "request", id, event, data }));
    });
  }

  async close(): Promise<void> {
    this.#ws.close();
    await this.#closed;
  }
}
