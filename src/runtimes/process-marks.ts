/**
 * Telling a child apart from a later process with the same number, also after a restart of ours or of the machine.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import type { ProcessMark } from "../ports/processes.ts";
import { groupMembers, processFacts } from "./process-groups.ts";

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
  const cut = startedAt.lastIndexOf(" ");
  const [start, token] = [startedAt.slice(0, cut), startedAt.slice(cut + 1)];
  const now = startOf(pid);
  if (now !== undefined) return now === start;
  return (groupMembers(pid) ?? []).some((member) => hasToken(member.pid, token));
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

function hasToken(pid: number, token: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(`${CHILD_VARIABLE}=${token}`);
  } catch {
    return false;
  }
}
