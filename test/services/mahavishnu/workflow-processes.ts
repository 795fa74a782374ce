/**
 * Who runs for a workflow, by what the system itself tells of each process.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";

/** Whether the system tells processes' environments. */
export const tellsProcesses = process.platform === "linux";

/**
 * Processes that have this variable in their environment, as all that a stage starts have WORKFLOW_ID, in its group or
 * not. One that has ended and was not fetched by its parent has no environment any more.
 */
export function processesWith(variable: string, value: string): number[] {
  const entry = `${variable}=${value}`;
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(entry);
    } catch {
      return false;
    }
  });
}

export const processesOf = (workflowId: string) => processesWith("WORKFLOW_ID", workflowId);
