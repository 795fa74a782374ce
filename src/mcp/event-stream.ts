/**
 * Responses that are streams of server-sent events: begun at once, and watched until they end.
 *
 * @module
 */

import type { Cancel, Clock } from "../ports/clock.ts";

/** The wall clock may be set meanwhile, and no timer waits for years: it is looked at this often, in milliseconds. */
const LOOK_MS = 60_000;

/** Bun sends the headers of a response with its first bytes, so a quiet stream begins with a comment. */
const FIRST_BYTES = new TextEncoder().encode(": ok\n\n");

export function isEventStream(response: Response): boolean {
  return response.body !== null &&
    response.headers.get("content-type")?.startsWith("text/event-stream") === true;
}

/**
 * @param signal The request's own. Some runtimes tell only by it of a client that goes before it was answered.
 * @param until The wall-clock moment at which it is ended; null for none.
 * @param ended Called once, when the stream has ended or the client is gone.
 * @param first What is sent before anything else. @default a comment
 */
export function watched(
  response: Response,
  signal: AbortSignal,
  until: { readonly clock: Clock; readonly expiresAt: number } | null,
  ended: () => void,
  first: Uint8Array = FIRST_BYTES,
): Response {
  const source = response.body!.getReader();
  let over = false;
  let forget: Cancel | null = null;
  const end = (): void => {
    if (over) return;
    over = true;
    signal.removeEventListener("abort", leave);
    forget?.();
    ended();
  };
  const leave = (): void => {
    end();
    source.cancel().catch(() => {});
  };
  if (signal.aborted) leave();
  else {
    signal.addEventListener("abort", leave);
    if (until) forget = at(until.clock, until.expiresAt, leave);
  }
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(first),
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

/** Call `work` at a wall-clock moment. */
export function at(clock: Clock, moment: number, work: () => void): Cancel {
  let cancel: Cancel = () => {};
  const look = (): void => {
    const waitMs = moment - clock.now();
    cancel = clock.after(Math.max(0, Math.min(waitMs, LOOK_MS)), waitMs > LOOK_MS ? look : work);
  };
  look();
  return () => cancel();
}
