/**
 * Bytes on their way in and out of a route, at the pace of both ends. Neither end may stand still for ever.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";

export interface PaceOptions {
  readonly clock: Clock;
  /** How long the other end may stand still, in milliseconds. 0: for ever. */
  readonly idleMs: number;
}

/** The other end has stood still for too long. */
export class StalledError extends Error {
  override readonly name = "StalledError";
}

/**
 * The pieces of a body as they come. A reader that leaves early cancels the body.
 *
 * @throws {StalledError} from its iterator
 */
export async function* piecesOf(
  body: ReadableStream<Uint8Array> | null,
  { clock, idleMs }: PaceOptions,
): AsyncGenerator<Uint8Array, void, void> {
  if (!body) return;
  const reader = body.getReader();
  let isOver = false;
  try {
    for (;;) {
      const { value } = await inTime(reader.read(), clock, idleMs);
      if (value === undefined) break;
      if (value.byteLength > 0) yield value;
    }
    isOver = true;
  } finally {
    if (!isOver) reader.cancel().catch(() => {});
  }
}

async function inTime<T>(work: Promise<T>, clock: Clock, idleMs: number): Promise<T> {
  if (idleMs === 0) return await work;
  let forget = () => {};
  const late = new Promise<never>((_, reject) => {
    forget = clock.after(
      idleMs,
      () => reject(new StalledError(`Nothing came for ${idleMs / 1_000} seconds`)),
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    forget();
  }
}

/**
 * A body made of pieces, each taken when the one before has been read.
 *
 * @param onEnd called once, when everything was read, the reader has left, `pieces` has failed, or nobody has read for
 * `idleMs`; with what went wrong, if anything
 */
export function streamOf(
  pieces: AsyncGenerator<Uint8Array, void, void>,
  { clock, idleMs, onEnd = () => {} }: PaceOptions & { readonly onEnd?: (error?: unknown) => void },
): ReadableStream<Uint8Array> {
  let isOver = false;
  let forget = () => {};
  const end = (error?: unknown) => {
    forget();
    if (isOver) return;
    isOver = true;
    // One that was never begun is closed by this too.
    pieces.return().catch(() => {});
    onEnd(error);
  };
  const watch = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    if (idleMs === 0) return;
    forget = clock.after(idleMs, () => {
      const error = new StalledError(`Nothing was read for ${idleMs / 1_000} seconds`);
      controller.error(error);
      end(error);
    });
  };
  return new ReadableStream<Uint8Array>({
    start: watch,
    async pull(controller) {
      forget();
      try {
        const { value } = await pieces.next();
        if (isOver) return;
        if (value === undefined) {
          controller.close();
          return end();
        }
        controller.enqueue(value);
        watch(controller);
      } catch (error) {
        if (!isOver) controller.error(error);
        end(error);
      }
    },
    cancel: (reason) => end(reason),
  }, { highWaterMark: 0 });
}
