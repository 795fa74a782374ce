/**
 * Process groups: each child leads one, so that what it has started itself can be ended with it. On Windows, which has
 * none, the child alone is ended.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { forgetProcesses, groupMembers } from "./process-table.ts";

export type EndSignal = "SIGTERM" | "SIGKILL";

const isWindows = process.platform === "win32";

/** How often a group that was told to end is looked at. */
const LOOK_MS = 20;

/** How long a group that was killed may take to vanish. A process in the kernel's hands may take longer: not ours to wait. */
const KILLED_MS = 1_000;

/** Groups that are killed when this process exits. */
const running = new Set<number>();
let endsWithUs = false;

export interface GroupOptions {
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string | null>>;
}

/** Start a child, without a shell. Rejects with a sentence where that is not possible. */
export function startGroup(
  program: string,
  args: readonly string[],
  options: GroupOptions,
): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    let child: ChildProcess;
    try {
      child = spawn(program, [...args], {
        cwd: options.folder,
        env: environmentWith(options.environment ?? {}),
        shell: false,
        detached: !isWindows,
        windowsHide: true,
        stdio: ["ignore", "pipe", "pipe"],
      });
    } catch (error) {
      return reject(startFault(program, options, error));
    }
    forgetProcesses();
    // Once it runs, 'error' can only tell of a signal that could not be sent.
    child.on("error", (error) => reject(startFault(program, options, error)));
    child.once("spawn", () => resolve(child));
    if (child.pid !== undefined) killAtExit(child.pid);
  });
}

function environmentWith(
  changes: Readonly<Record<string, string | null>>,
): Record<string, string | undefined> {
  const environment = { ...process.env };
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) delete environment[name];
    else environment[name] = value;
  }
  return environment;
}

function killAtExit(pid: number): void {
  running.add(pid);
  if (endsWithUs) return;
  endsWithUs = true;
  process.on("exit", () => {
    for (const leader of running) signalGroup(leader, "SIGKILL");
  });
}

/** The group is no longer this process's concern, unless something of it is left. */
export function releaseGroup(pid: number): void {
  if (!groupIsAlive(pid)) running.delete(pid);
}

/** Is there still something of a group that this process has started? Its number may belong to others afterwards. */
export function isHeld(pid: number): boolean {
  return running.has(pid);
}

export function signalGroup(pid: number, signal: EndSignal): void {
  try {
    process.kill(isWindows ? pid : -pid, signal);
  } catch {
    // No such group any more.
  }
}

/** Is anything of the group left? What has ended and was only not fetched yet by its parent does not count. */
export function groupIsAlive(pid: number): boolean {
  try {
    process.kill(isWindows ? pid : -pid, 0);
  } catch {
    return false;
  }
  const members = groupMembers(pid);
  return members === undefined || members.length > 0;
}

/** SIGTERM, then SIGKILL for what is left after `graceMs`. Resolves when nothing is left. */
export async function endGroup(pid: number, graceMs: number): Promise<void> {
  if (graceMs > 0) {
    signalGroup(pid, "SIGTERM");
    if (await vanishes(pid, graceMs)) {
      running.delete(pid);
      return;
    }
  }
  signalGroup(pid, "SIGKILL");
  if (await vanishes(pid, KILLED_MS)) running.delete(pid);
}

async function vanishes(pid: number, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (groupIsAlive(pid)) {
    if (performance.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return true;
}

function startFault(program: string, options: GroupOptions, cause: unknown): Error {
  const { code, message } = cause as { code?: string; message?: string };
  const folder = options.folder === undefined ? "" : ` in "${options.folder}"`;
  const detail = code === "ENOENT" || code === "ENOTDIR"
    ? `there is no such program${folder && " or no such folder"}; install it or give its whole path`
    : code === "EACCES" || code === "EPERM"
    ? "it may not be run; check its mode and its owner"
    : message ?? String(cause);
  return new Error(`Cannot start "${program}"${folder}: ${detail}`, { cause });
}
