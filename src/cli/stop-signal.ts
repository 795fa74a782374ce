/**
 * The wish that a command ends: Ctrl-C, or the system's.
 *
 * @module
 */
import process from "node:process";
import type { Runtime } from "../ports/runtime.ts";
import { EXIT_CODES } from "../server/exit-codes.ts";

/**
 * The first signal is a wish, which the command fulfils in order. The second one ends the process, whatever it is at.
 *
 * @returns what resolves with the wish, whether there was one, and the way to listen no more.
 */
export function stopSignal(
  runtime: Pick<Runtime, "onStopSignal">,
): { readonly stopped: Promise<void>; readonly isStopped: () => boolean; readonly forget: () => void } {
  let stop: () => void = () => {};
  let isStopped = false;
  const stopped = new Promise<void>((resolve) => stop = resolve);
  const forget = runtime.onStopSignal(() => {
    if (isStopped) {
      console.error("Told to stop a second time: ended without waiting");
      process.exit(EXIT_CODES.error);
    }
    isStopped = true;
    stop();
  });
  return { stopped, isStopped: () => isStopped, forget };
}
