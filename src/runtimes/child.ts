/**
 * Children that live on. See `Processes.start` and `Processes.reap`.
 *
 * What a child leaves running when it ends is the caller's to end, by `stop`; at the latest it ends with this process.
 *
 * @module
 */
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { turnOfProcess } from "../ports/clock.ts";
import type { Child, ChildEnd, ProcessMark, StartOptions } from "../ports/processes.ts";
import { endGroup, isHeld, releaseGroup, startGroup } from "./process-groups.ts";
import { CHILD_VARIABLE, isStillThere, killCarriers, markOf, tokenOf } from "./process-marks.ts";

const STOP_GRACE_MS = 2_000;

/** How long output may still come after the child's end, from those who inherited its streams: each time, and in all. */
const TAIL_MS = 200;
const LONGEST_TAIL_MS = 2_000;

/** See `Processes.announce`. */
export function announceChild(): ProcessMark {
  return { pid: 0, startedAt: `announced ${randomUUID()}` };
}

/** See `Processes.start`. */
export async function startChild(
  program: string,
  args: readonly string[],
  { folder, environment, announced = announceChild(), onOutput }: StartOptions,
): Promise<Child> {
  const token = tokenOf(announced);
  const child = await startGroup(program, args, {
    folder,
    environment: { ...environment, [CHILD_VARIABLE]: token },
  });
  const pid = child.pid ?? 0;
  const mark = markOf(pid, token);
  const ended = endOf(child, pid, onOutput);
  return {
    mark,
    ended,
    async stop(graceMs = STOP_GRACE_MS) {
      if (isHeld(pid)) await endGroup(pid, graceMs);
      // Also those who have left the group.
      await killCarriers([mark]);
      return await ended;
    },
  };
}

/** See `Processes.reap`. */
export async function reapChildren(marks: readonly ProcessMark[]): Promise<number> {
  const left = new Set(marks.filter(isStillThere));
  await Promise.all([...left].map(({ pid }) => endGroup(pid, 0)));
  for (const mark of await killCarriers(marks)) left.add(mark);
  return left.size;
}

function endOf(child: ChildProcess, pid: number, onOutput: StartOptions["onOutput"]): Promise<ChildEnd> {
  return new Promise((resolve) => {
    let end: ChildEnd | null = null;
    let tail: ReturnType<typeof setTimeout> | undefined;
    let longest: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const finish = () => {
      if (isOver) return;
      isOver = true;
      clearTimeout(tail);
      clearTimeout(longest);
      child.stdout?.destroy();
      child.stderr?.destroy();
      releaseGroup(pid);
      resolve(end ?? { code: child.exitCode, signal: child.signalCode });
    };
    let looks = 0;
    const waitForMore = () => {
      clearTimeout(tail);
      const look = ++looks;
      // Where the process was held up, the time is over before what has come meanwhile was read: that is done first.
      tail = setTimeout(() => void turnOfProcess().then(() => look === looks && finish()), TAIL_MS);
    };
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.on("error", () => {}).on("data", (bytes: Uint8Array) => {
        if (isOver) return;
        if (end) waitForMore();
        onOutput(name, bytes);
      });
    }
    child.once("exit", (code, signal) => {
      end = { code, signal };
      // 'close' waits for all who hold the streams, which may be a grandchild that never ends.
      waitForMore();
      longest = setTimeout(() => void turnOfProcess().then(finish), LONGEST_TAIL_MS);
    });
    child.once("close", finish);
  });
}
