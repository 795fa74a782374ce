/**
 * The child processes of a process. On Linux.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";

/** Ids of those that run now; none where the process has ended. */
export function childProcesses(pid: number): number[] {
  try {
    // Each thread has those that it has started.
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number)
    );
  } catch {
    return [];
  }
}
