/**
 * Child processes by `node:child_process`, on every runtime. See `Processes`.
 *
 * @module
 */
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import type {
  Child,
  ChildEnd,
  Processes,
  ProcessMark,
  RunOptions,
  StartOptions,
} from "../ports/processes.ts";
import { endGroup, isHeld, releaseGroup, signalGroup, startGroup } from "./process-groups.ts";
import { CHILD_VARIABLE, isStillThere, markOf } from "./process-marks.ts";

const TIMEOUT_MS = 10_000;
const MAX_OUTPUT_BYTES = 1_048_576;
const STOP_GRACE_MS = 2_000;

/** How long output may still come after the child's end, from those who inherited its streams. */
const TAIL_MS = 200;

export const processes: Processes = {
  async run(program, args, options: RunOptions = {}) {
    const { timeoutMs = TIMEOUT_MS, maxOutputBytes = MAX_OUTPUT_BYTES } = options;
    const child = await startGroup(program, args, options);
    let killed = false;
    const kill = () => {
      killed = true;
      signalGroup(child.pid ?? 0, "SIGKILL");
    };
    const stdout = collect(child.stdout, maxOutputBytes, kill);
    const stderr = collect(child.stderr, maxOutputBytes, kill);
    const timer = setTimeout(kill, timeoutMs);
    const { code } = await endOf(child);
    clearTimeout(timer);
    return { code: killed ? null : code, stdout: stdout(), stderr: stderr() };
  },

  async start(program, args, { folder, environment, onOutput }: StartOptions): Promise<Child> {
    const token = randomUUID();
    const child = await startGroup(program, args, {
      folder,
      environment: { ...environment, [CHILD_VARIABLE]: token },
    });
    const pid = child.pid ?? 0;
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.on("data", (bytes: Uint8Array) => onOutput(name, bytes)).on("error", () => {});
    }
    const ended = endOf(child);
    return {
      mark: markOf(pid, token),
      ended,
      async stop(graceMs = STOP_GRACE_MS) {
        if (isHeld(pid)) await endGroup(pid, graceMs);
        return await ended;
      },
    };
  },

  async reap(marks: readonly ProcessMark[]) {
    const left = marks.filter(isStillThere);
    await Promise.all(left.map(({ pid }) => endGroup(pid, 0)));
    return left.length;
  },
};

function endOf(child: ChildProcess): Promise<ChildEnd> {
  return new Promise((resolve) => {
    let tail: ReturnType<typeof setTimeout> | undefined;
    const finish = (code: number | null, signal: string | null) => {
      clearTimeout(tail);
      child.stdout?.destroy();
      child.stderr?.destroy();
      releaseGroup(child.pid ?? 0);
      resolve({ code, signal });
    };
    child.once("exit", (code, signal) => {
      // 'close' waits for all who hold the streams, which may be a grandchild that never ends.
      tail = setTimeout(() => finish(code, signal), TAIL_MS);
    });
    child.once("close", finish);
  });
}

/** Keep the first `limit` bytes. Returns the way to read them as text. */
function collect(stream: ChildProcess["stdout"], limit: number, exceeded: () => void): () => string {
  const decoder = new TextDecoder();
  let text = "";
  let room = limit;
  stream?.on("data", (chunk: Uint8Array) => {
    if (room >= 0) text += decoder.decode(chunk.subarray(0, room), { stream: true });
    room -= chunk.byteLength;
    if (room < 0) exceeded();
  });
  stream?.on("error", () => {});
  // A character that was cut by the limit is left out.
  return () => room < 0 ? text : text + decoder.decode();
}
