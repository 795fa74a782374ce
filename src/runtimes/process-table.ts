/**
 * The processes that run on this machine, as Linux tells.
 *
 * Looking at them costs milliseconds where there are hundreds, and many children may end at a time: who asks in one
 * turn of the event loop is answered from one look. What it shows as gone stays gone.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";

/** What Linux tells of a process. */
export interface ProcessFacts {
  readonly pid: number;
  /** `Z` for one that has ended. */
  readonly state: string;
  readonly group: number;
  /** Clock ticks from the machine's start to the process's. */
  readonly startedTicks: string;
}

let seen: ProcessFacts[] | undefined;

/** Undefined where there is no such process, or no /proc. */
export function processFacts(pid: number): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in parentheses may hold blanks and parentheses itself; the rest is numbers.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { pid, state: fields[0] ?? "", group: Number(fields[2]), startedTicks: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

/** All processes that have not ended, or undefined where the system does not tell. At most one turn old. */
export function runningProcesses(): readonly ProcessFacts[] | undefined {
  if (process.platform !== "linux") return undefined;
  if (seen) return seen;
  try {
    seen = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((name) => processFacts(Number(name)))
      .filter((facts) => facts !== undefined)
      .filter(({ state }) => state !== "Z" && state !== "X");
  } catch {
    return undefined;
  }
  setImmediate(forgetProcesses);
  return seen;
}

/** Somebody was started: what was seen no longer holds. */
export function forgetProcesses(): void {
  seen = undefined;
}

/** The living members of a group, or undefined where the system does not tell. */
export function groupMembers(group: number): ProcessFacts[] | undefined {
  return runningProcesses()?.filter((facts) => facts.group === group);
}
