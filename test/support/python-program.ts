/**
 * Python scripts of `test/python` as child processes, which take turns with the test line by line.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { pythonPath } from "./require.ts";

const folder = fileURLToPath(new URL("../python/", import.meta.url));

export interface PythonProgram {
  /** Lines on standard output so far. */
  readonly lines: readonly string[];
  /** Resolves with the first line that matches; rejects with what it wrote to standard error when it ends without. */
  line(matches: (line: string) => boolean): Promise<string>;
  /** Write a line to its standard input. */
  write(line: string): void;
  stderr(): string;
  /** Resolves with the exit code, or the signal. */
  readonly ended: Promise<number | string | null>;
}

/**
 * @param facts Written to its standard input as the first line, in JSON.
 * @param environment Variables beside those of this process.
 */
export function startPython(
  script: string,
  args: readonly string[],
  facts: unknown,
  environment: Readonly<Record<string, string>> = {},
): PythonProgram {
  const python = pythonPath();
  if (python === undefined) throw new Error("Cannot start Python: there is none with the packages needed");
  const child = spawn(python, ["-B", `${folder}${script}`, ...args], {
    stdio: "pipe",
    env: { ...process.env, ...environment },
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let stderr = "";
  let rest = "";
  let hasEnded = false;
  const wake = () => waiting.forEach((check) => check());
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
    wake();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
  child.stdin.on("error", () => {});
  const ended = new Promise<number | string | null>((resolve) => {
    child.on("close", (code, signal) => {
      hasEnded = true;
      wake();
      resolve(code ?? signal);
    });
  });
  const write = (line: string) => void child.stdin.write(`${line}\n`);
  write(JSON.stringify(facts));
  return {
    lines,
    write,
    ended,
    stderr: () => stderr,
    line: (matches) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const found = lines.find(matches);
          if (found === undefined && !hasEnded) return;
          waiting.delete(check);
          if (found === undefined) reject(new Error(`Expected a line, got the script's end: ${stderr}`));
          else resolve(found);
        };
        waiting.add(check);
        check();
      }),
  };
}
