/**
 * One abort signal out of several.
 *
 * @module
 */

export interface LinkedSignal {
  /** Aborted with the first of the others, for its reason. */
  readonly signal: AbortSignal;
  /** Take it off the others again: to be called when what it was for is over. */
  readonly release: () => void;
}

/**
 * For signals that outlive what they are linked for, such as that of a service's stop: `AbortSignal.any` leaves something
 * behind in them each time (Node 20).
 */
export function linkSignals(...sources: readonly AbortSignal[]): LinkedSignal {
  const controller = new AbortController();
  const release = () => {
    for (const source of sources) source.removeEventListener("abort", abort);
  };
  function abort(this: AbortSignal): void {
    release();
    controller.abort(this.reason);
  }
  for (const source of sources) {
    if (controller.signal.aborted) break;
    if (source.aborted) abort.call(source);
    else source.addEventListener("abort", abort);
  }
  return { signal: controller.signal, release };
}
