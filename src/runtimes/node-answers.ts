/**
 * Answers that are streams, on a `node:http` server: what they hold is let go of when the client is gone.
 *
 * @module
 */
import type { ServerResponse } from "node:http";

/**
 * The same answer, whose body is cancelled with its connection, also before anybody has read of it: @hono/node-server
 * listens for that end only from its first read on.
 */
export function heldBy(outgoing: ServerResponse, answer: Response): Response {
  const isPlain = answer.headers.get("content-type")?.startsWith("application/json") === true;
  if (answer.body === null || isPlain) return answer;
  const source = answer.body.getReader();
  const letGo = (): void => void source.cancel().catch(() => {});
  if (outgoing.destroyed) letGo();
  else outgoing.once("close", letGo);
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await source.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => source.cancel(reason),
  }, { highWaterMark: 0 });
  const { status, statusText, headers } = answer;
  return new Response(body, { status, statusText, headers });
}
