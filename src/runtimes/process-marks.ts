/**
 * Telling a child apart from a later process with the same number, also after a restart of ours or of the machine.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import type { ProcessMark } from "../ports/processes.ts";
import { groupMembers, processFacts, runningProcesses } from "./process-table.ts";

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

/** Marks whose carriers are to be killed, by token, and what is known of each. */
const wanted = new Map<string, Hunt>();
let isHunting = false;

interface Hunt {
  readonly waiting: (() => void)[];
  rounds: number;
  met: boolean;
}

/**
 * Kill whoever carries the token of one of these marks, in a group or not. Linux alone tells who does.
 *
 * @returns the marks that somebody carried.
 */
export async function killCarriers(marks: readonly ProcessMark[]): Promise<Set<ProcessMark>> {
  const met = new Set<ProcessMark>();
  await Promise.all(marks.map(async (mark) => {
    const token = tokenOf(mark);
    const hunt = wanted.get(token) ?? { waiting: [], rounds: 0, met: false };
    wanted.set(token, hunt);
    await new Promise<void>((resolve) => {
      hunt.waiting.push(resolve);
      beginHunt();
    });
    if (hunt.met) met.add(mark);
  }));
  return met;
}

/** One look serves all who ask meanwhile. */
function beginHunt(): void {
  if (isHunting) return;
  isHunting = true;
  void huntAll().finally(() => {
    isHunting = false;
    if (wanted.size > 0) beginHunt();
  });
}

async function huntAll(): Promise<void> {
  // Whoever else asks in this turn is looked for as well.
  await Promise.resolve();
  while (wanted.size > 0) {
    const carried = new Set<string>();
    for (const { pid } of runningProcesses() ?? []) {
      const token = carriedBy(pid);
      if (token === undefined || !wanted.has(token)) continue;
      carried.add(token);
      kill(pid);
    }
    for (const [token, hunt] of wanted) {
      if (carried.has(token)) hunt.met = true;
      if (carried.has(token) && ++hunt.rounds < ROUNDS) continue;
      wanted.delete(token);
      for (const resolve of hunt.waiting) resolve();
    }
    if (wanted.size > 0) await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
  }
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
