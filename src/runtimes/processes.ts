/**
 * Child processes by `node:child_process`, on every runtime. See `Processes`.
 *
 * @module
 */
import type { ChildProcess } from "node:child_process";
import { turnOfProcess } from "../ports/clock.ts";
import type { ChildEnd, Processes, RunOptions } from "../ports/processes.ts";
import { announceChild, reapChildren, startChild } from "./child.ts";
import { releaseGroup, signalGroup, startGroup } from "./process-groups.ts";

const TIMEOUT_MS = 10_000;
const MAX_OUTPUT_BYTES = 1_048_576;

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

  announce: announceChild,
  start: startChild,
  reap: reapChildren,
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
      // Where the process was held up, what has come meanwhile is read first.
      tail = setTimeout(() => void turnOfProcess().then(() => finish(code, signal)), TAIL_MS);
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
