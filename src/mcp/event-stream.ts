/**
 * Responses that are streams of server-sent events: begun at once, and watched until they end.
 *
 * @module
 */

/** Bun sends the headers of a response with its first bytes, so a quiet stream begins with a comment. */
const FIRST_BYTES = new TextEncoder().encode(": ok\n\n");

export function isEventStream(response: Response): boolean {
  return response.body !== null &&
    response.headers.get("content-type")?.startsWith("text/event-stream") === true;
}

/**
 * @param signal The request's own. Some runtimes tell only by it of a client that goes before it was answered.
 * @param ended Called once, when the stream has ended or the client is gone.
 */
export function watched(response: Response, signal: AbortSignal, ended: () => void): Response {
  const source = response.body!.getReader();
  let over = false;
  const end = (): void => {
    if (over) return;
    over = true;
    signal.removeEventListener("abort", leave);
    ended();
  };
  const leave = (): void => {
    end();
    source.cancel().catch(() => {});
  };
  if (signal.aborted) leave();
  else signal.addEventListener("abort", leave);
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(FIRST_BYTES),
    async pull(controller) {
      try {
        const { done, value } = await source.read();
        if (!done) return controller.enqueue(value);
        end();
        controller.close();
      } catch (error) {
        end();
        controller.error(error);
      }
    },
    cancel(reason) {
      end();
      return source.cancel(reason);
    },
  });
  return new Response(body, { status: response.status, headers: response.headers });
}
