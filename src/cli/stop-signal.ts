/**
 * The wish that a command ends: Ctrl-C, or the system's.
 *
 * @module
 */
import type { Runtime } from "../ports/runtime.ts";

/** @returns what resolves with the wish, and the way to listen no more. */
export function stopSignal(
  runtime: Pick<Runtime, "onStopSignal">,
): { readonly stopped: Promise<void>; readonly forget: () => void } {
  let stop: () => void = () => {};
  const stopped = new Promise<void>((resolve) => stop = resolve);
  return { stopped, forget: runtime.onStopSignal(() => stop()) };
}
