/**
 * The browser's WebSocket over a linked socket: what a client is given to speak to the connections of a bench.
 *
 * @module
 */
import type { WebSocketClass, WebSocketLike } from "../../src/client/link.ts";
import type { Bench } from "../support/connection-bench.ts";
import type { LinkedClient } from "../support/linked-socket.ts";

export interface BenchSockets {
  readonly WebSocket: WebSocketClass;
  /** The ends of the connections that the client has made, oldest first. */
  readonly links: LinkedClient[];
  /** Texts that the client has sent, by connection. */
  readonly sent: string[][];
  /** While false, connections are refused. */
  reachable: boolean;
}

export function benchSockets(bench: Bench): BenchSockets {
  const sockets = {
    WebSocket: undefined as unknown as WebSocketClass,
    links: [] as LinkedClient[],
    sent: [] as string[][],
    reachable: true,
  };
  class BenchSocket implements WebSocketLike {
    onopen: WebSocketLike["onopen"] = null;
    onmessage: WebSocketLike["onmessage"] = null;
    onclose: WebSocketLike["onclose"] = null;
    onerror: WebSocketLike["onerror"] = null;
    #link: LinkedClient | null = null;
    readonly #sent: string[] = [];

    constructor() {
      bench.clock.endOfTick(() => {
        if (!sockets.reachable) return this.onclose?.({ code: 1006, reason: "" } as never);
        const link = this.#link = bench.connect();
        link.listener = {
          message: (data) => this.onmessage?.({ data } as never),
          closed: (code, reason) => this.onclose?.({ code, reason } as never),
        };
        sockets.links.push(link);
        sockets.sent.push(this.#sent);
        this.onopen?.({} as never);
      });
    }

    send(text: string): void {
      this.#sent.push(text);
      this.#link!.send(text);
    }

    close(): void {
      this.#link?.hangUp(1000);
    }
  }
  sockets.WebSocket = BenchSocket as never;
  return sockets;
}
