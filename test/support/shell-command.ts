/**
 * Commands of `mcp-realtime` in a line of a shell: with a pipe behind it, or with its output somewhere else.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { type CommandEnd, commandLine, type CommandOptions, environmentOf } from "./command-process.ts";
import { sendSignal } from "./start-program.ts";

/** A line that has not ended by then is killed. On a busy machine. */
const LIFETIME_MS = 90_000;

/**
 * Run a command in a line of bash, in which it is `"$@"`: `"$@" | head -n 1`, `"$@" >/dev/full`.
 *
 * @returns what the line has written, and the exit code of the first in its pipe.
 */
export async function runInShell(
  words: readonly string[],
  line: string,
  options: CommandOptions,
): Promise<CommandEnd> {
  const script = `${line}; exit "\${PIPESTATUS[0]}"`;
  const child = spawn("bash", ["-c", script, "bash", ...commandLine(words, options.runtime)], {
    cwd: options.folder,
    env: environmentOf(options),
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that all of the line can be ended.
    detached: true,
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
  const timer = setTimeout(() => child.pid && sendSignal(-child.pid, "SIGKILL"), LIFETIME_MS);
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? signal, stdout, stderr });
    });
  });
}
