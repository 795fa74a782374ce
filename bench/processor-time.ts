/**
 * What the operating system says that a process has had of the processors, all its threads together.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";

/**
 * User and system time in milliseconds.
 *
 * @throws {Error} where there is no `/proc`: this is Linux only.
 */
export function processorMs(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  }
  return nanoseconds / 1e6;
}
