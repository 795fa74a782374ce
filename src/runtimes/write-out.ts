/**
 * Writing to a stream of the process whose other side may be gone or full, the same way on each runtime.
 *
 * @module
 */
import type { Writable } from "node:stream";
import { fileFault } from "./file-fault.ts";

/** Why a stream is written to no more. */
const failures = new WeakMap<Writable, Error | null>();

/**
 * Write, and say what came of it: null when it is out, else the first failure of this stream, after which nothing is
 * written to it. Never throws, never rejects, and no failure ends the process. Whoever waits for it writes no faster
 * than the other side reads.
 */
export function writeOut(stream: Writable, text: string | Uint8Array): Promise<Error | null> {
  if (!failures.has(stream)) {
    failures.set(stream, null);
    stream.on("error", () => {});
  }
  const failure = failures.get(stream);
  if (failure) return Promise.resolve(failure);
  return new Promise((resolve) => {
    const settle = (error?: Error | null) => {
      if (error && !failures.get(stream)) failures.set(stream, error);
      resolve(failures.get(stream) ?? null);
    };
    try {
      stream.write(text, settle);
    } catch (error) {
      // Deno throws where the device is full, and calls nobody back any more.
      settle(error as Error);
    }
  });
}

const GONE: ReadonlySet<unknown> = new Set(["EPIPE", "ECONNRESET", "ERR_STREAM_DESTROYED"]);

/** Whether nobody reads any more, as after `| head`: no fault of anybody's. */
export function isReaderGone(error: Error): boolean {
  return GONE.has((error as NodeJS.ErrnoException).code);
}

/** The sentence for an operator. */
export function outputFault(error: Error): string {
  return `Cannot write to standard output: ${fileFault(error)}`;
}
