/**
 * Real processes, and a word in a moment that nothing else tells of.
 *
 * @module
 */
import type { Child, Processes } from "../../../src/ports/processes.ts";
import { processes } from "../../../src/runtimes/processes.ts";

/** @param onStop Called when a child is told to stop, before it is. */
export function listeningProcesses(onStop: () => void): Processes {
  return {
    ...processes,
    async start(...args): Promise<Child> {
      const child = await processes.start(...args);
      return {
        ...child,
        stop(graceMs) {
          onStop();
          return child.stop(graceMs);
        },
      };
    },
  };
}
