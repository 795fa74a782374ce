/**
 * Telling a child apart from a later process with the same number, also after a restart of ours or of the machine.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import type { ProcessMark } from "../ports/processes.ts";
import { groupMembers, processFacts, runningProcesses } from "./process-groups.ts";

/**
 * A child's environment holds it with a value of its own, which those that it starts inherit. So its group is known
 * even when the child itself is gone.
 */
export const CHILD_VARIABLE = "MCP_REALTIME_CHILD";

/** @param token The value of `CHILD_VARIABLE` in the child's environment. */
export function markOf(pid: number, token: string): ProcessMark {
  return { pid, startedAt: `${startOf(pid) ?? "gone"} ${token}` };
}

/** Is the group that this child led still there, and still the same? */
export function isStillThere({ pid, startedAt }: ProcessMark): boolean {
  // One that was announced alone: there is no number to look at, and 0 would be our own group.
  if (pid <= 0) return false;
  const start = startedAt.slice(0, startedAt.lastIndexOf(" "));
  const now = startOf(pid);
  if (now !== undefined) return now === start;
  const token = tokenOf({ pid, startedAt });
  return (groupMembers(pid) ?? []).some((member) => carriedBy(member.pid) === token);
}

/** Rounds of killing: whoever starts others faster than we look is met again. */
const ROUNDS = 100;
const ROUND_MS = 10;

/**
 * Kill whoever carries the token of one of these marks, in a group or not. Linux alone tells who does.
 *
 * @returns the marks that somebody carried.
 */
export async function killCarriers(marks: readonly ProcessMark[]): Promise<Set<ProcessMark>> {
  const byToken = new Map(marks.map((mark) => [tokenOf(mark), mark]));
  const met = new Set<ProcessMark>();
  for (let round = 0; round < ROUNDS && marks.length > 0; round++) {
    let isClean = true;
    for (const { pid } of runningProcesses() ?? []) {
      const mark = byToken.get(carriedBy(pid) ?? "");
      if (!mark) continue;
      isClean = false;
      met.add(mark);
      kill(pid);
    }
    if (isClean) break;
    await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
  }
  return met;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has just ended.
  }
}

/** What the child's environment holds. */
export function tokenOf({ startedAt }: ProcessMark): string {
  return startedAt.slice(startedAt.lastIndexOf(" ") + 1);
}

/** When a process was started, and in which life of the machine. Undefined where there is none. */
function startOf(pid: number): string | undefined {
  if (process.platform !== "linux") return startByPs(pid);
  const facts = processFacts(pid);
  return facts && facts.state !== "Z" ? `${bootId()} ${facts.startedTicks}` : undefined;
}

function startByPs(pid: number): string | undefined {
  try {
    const answer = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    return answer.toString().trim() || undefined;
  } catch {
    return undefined;
  }
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
}

function carriedBy(pid: number): string | undefined {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    const found = variables.find((variable) => variable.startsWith(`${CHILD_VARIABLE}=`));
    return found?.slice(CHILD_VARIABLE.length + 1);
  } catch {
    // It has ended meanwhile, or is somebody else's.
    return undefined;
  }
}
