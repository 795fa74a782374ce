/**
 * Child processes by `node:child_process`, on every runtime, without a shell. See `Processes`.
 *
 * A child leads a process group of its own, so that what it has started itself ends with it when it is killed. Groups
 * that still run when this process exits are killed too.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import type { Processes, RunOptions, RunResult } from "../ports/processes.ts";

const TIMEOUT_MS = 10_000;
const MAX_OUTPUT_BYTES = 1_048_576;

/** How long output may still come after the child's end, from those who inherited its streams. */
const TAIL_MS = 200;

const running = new Set<ChildProcess>();
let endsWithUs = false;

export const processes: Processes = {
  run(program, args, options = {}) {
    return new Promise((resolve, reject) => {
      let child: ChildProcess;
      try {
        child = spawn(program, [...args], {
          cwd: options.folder,
          env: { ...process.env, ...options.environment },
          shell: false,
          detached: process.platform !== "win32",
          windowsHide: true,
          stdio: ["ignore", "pipe", "pipe"],
        });
      } catch (error) {
        return reject(startFault(program, options, error));
      }
      // Once it runs, 'error' tells of a failed kill only; the promise is settled by then or by 'exit'.
      child.on("error", (error) => reject(startFault(program, options, error)));
      watch(child, options, resolve);
    });
  },
};

function watch(child: ChildProcess, options: RunOptions, resolve: (result: RunResult) => void): void {
  const { timeoutMs = TIMEOUT_MS, maxOutputBytes = MAX_OUTPUT_BYTES } = options;
  let killed = false;
  const end = () => {
    killed = true;
    kill(child);
  };
  const stdout = collect(child.stdout, maxOutputBytes, end);
  const stderr = collect(child.stderr, maxOutputBytes, end);
  const timer = setTimeout(end, timeoutMs);
  let tail: ReturnType<typeof setTimeout> | undefined;
  running.add(child);
  if (!endsWithUs) {
    endsWithUs = true;
    process.on("exit", () => running.forEach(kill));
  }
  const finish = (code: number | null) => {
    clearTimeout(timer);
    clearTimeout(tail);
    running.delete(child);
    child.stdout?.destroy();
    child.stderr?.destroy();
    resolve({ code: killed ? null : code, stdout: stdout(), stderr: stderr() });
  };
  child.on("exit", (code) => {
    clearTimeout(timer);
    // 'close' waits for all who hold the streams, which may be a grandchild that never ends.
    tail = setTimeout(() => finish(code), TAIL_MS);
  });
  child.on("close", finish);
}

/** Keep the first `limit` bytes. Returns the way to read them as text. */
function collect(stream: ChildProcess["stdout"], limit: number, exceeded: () => void): () => string {
  const decoder = new TextDecoder();
  let text = "";
  let room = limit;
  stream?.on("data", (chunk: Uint8Array) => {
    if (room <= 0 && chunk.byteLength > 0) return exceeded();
    text += decoder.decode(chunk.subarray(0, room), { stream: true });
    room -= chunk.byteLength;
    if (room < 0) exceeded();
  });
  stream?.on("error", () => {});
  return () => room < 0 ? text : text + decoder.decode();
}

function kill(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // No such group: the child has just ended, or the runtime has made none.
    child.kill("SIGKILL");
  }
}

function startFault(program: string, options: RunOptions, cause: unknown): Error {
  const { code, message } = cause as { code?: string; message?: string };
  const folder = options.folder === undefined ? "" : ` in "${options.folder}"`;
  const detail = code === "ENOENT" || code === "ENOTDIR"
    ? `there is no such program${folder && " or no such folder"}; install it or give its whole path`
    : code === "EACCES" || code === "EPERM"
    ? "it may not be run; check its mode and its owner"
    : message ?? String(cause);
  return new Error(`Cannot start "${program}"${folder}: ${detail}`, { cause });
}
