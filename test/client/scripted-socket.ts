/**
 * A server that does what the test says: takes connections or not, answers or not, closes when told.
 *
 * @module
 */
import type { WebSocketClass, WebSocketLike } from "../../src/client/link.ts";

// deno-lint-ignore no-explicit-any
export type Sent = Record<string, any>;

/** One connection that the client has made. */
export class ScriptedSocket implements WebSocketLike {
  onopen: WebSocketLike["onopen"] = null;
  onmessage: WebSocketLike["onmessage"] = null;
  onclose: WebSocketLike["onclose"] = null;
  onerror: WebSocketLike["onerror"] = null;
  readonly url: string;
  readonly protocols: string[] | undefined;
  /** Frames that the client has sent and that were not taken yet. */
  readonly #sent: Sent[] = [];
  isClosed = false;

  constructor(url: string, protocols?: string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  open(): void {
    this.onopen?.({} as never);
  }

  send(text: string): void {
    this.#sent.push(JSON.parse(text));
  }

  take(): Sent[] {
    return this.#sent.splice(0);
  }

  /** A frame from the server. */
  says(frame: object | string): void {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) } as never);
  }

  answers({ id }: Sent, data: object = {}): void {
    this.says({ type: "response", correlation_id: id, data });
  }

  refuses({ id }: Sent, error_code: string, error_message = ""): void {
    this.says({ type: "error", correlation_id: id, data: {}, error_code, error_message });
  }

  /** The server closes, or the connection is lost (1006). */
  ends(code = 1006, reason = ""): void {
    this.isClosed = true;
    this.onclose?.({ code, reason } as never);
  }

  close(): void {
    this.isClosed = true;
  }
}

/** A WebSocket class, and the connections that it was asked for. */
export function scriptedSockets(): {
  WebSocket: WebSocketClass;
  made: ScriptedSocket[];
  newest(): ScriptedSocket;
} {
  const made: ScriptedSocket[] = [];
  class Recorded extends ScriptedSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols);
      made.push(this);
    }
  }
  return { WebSocket: Recorded, made, newest: () => made.at(-1)! };
}
