/**
 * Programs of others that are run to their end, for what they print.
 *
 * @module
 */
import { spawn } from "node:child_process";

export interface ProgramEnd {
  /** Exit code, or the signal that ended it. */
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How long one may take, on a busy machine. */
const PATIENCE_MS = 90_000;

/** @throws {Error} where it cannot be started, or does not end in time: it is killed then. */
export function runProgram(program: string, args: readonly string[]): Promise<ProgramEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], {
      env: { ...process.env, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(
        new Error(`Expected "${args.join(" ")}" to end, got after ${PATIENCE_MS} ms: ${stdout}${stderr}`),
      );
    }, PATIENCE_MS);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? signal, stdout, stderr });
    });
  });
}
