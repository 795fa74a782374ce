/**
 * An HTTP server that contents are delivered to, and that answers as a test wishes.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Delivered {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export interface HttpTarget {
  readonly url: string;
  /** What came, in order; each when all of it was there. */
  readonly delivered: readonly Delivered[];
  /** Requests that were begun. */
  begun(): number;
  stop(): Promise<void>;
}

/** Given what came, or null before the body where `early` is set. */
export type Answer = (delivered: Delivered, response: ServerResponse) => void;

export async function startHttpTarget(
  answer: Answer,
  options: { readonly early?: boolean } = {},
): Promise<HttpTarget> {
  const delivered: Delivered[] = [];
  let begun = 0;
  const server = createServer((request, response) => {
    begun++;
    const facts = { method: request.method ?? "", path: request.url ?? "", headers: request.headers };
    if (options.early) return answer({ ...facts, body: Buffer.alloc(0) }, response);
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    // One that is broken off is no delivery.
    request.on("error", () => {});
    request.on("end", () => {
      const whole = { ...facts, body: Buffer.concat(pieces) };
      delivered.push(whole);
      answer(whole, response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    delivered,
    begun: () => begun,
    async stop() {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, "close");
    },
  };
}

export function answerJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}
