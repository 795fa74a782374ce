/**
 * Commands of `mcp-realtime` as a person runs them: a process of its own, on each runtime.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { executable, type RuntimeName, sendSignal } from "./start-program.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** A command that has not ended by then is killed. On a busy machine. */
const LIFETIME_MS = 90_000;

export interface CommandOptions {
  /** Where it is run: settings and relative paths count from there. */
  readonly folder: string;
  /** @default "node" */
  readonly runtime?: RuntimeName;
  /** Variables beside `PATH` and `HOME`, which is all that it has otherwise. */
  readonly environment?: Readonly<Record<string, string>>;
  /** @default nothing */
  readonly input?: string;
}

export interface CommandEnd {
  /** Exit code, or the signal that ended it. */
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  stdout(): string;
  stderr(): string;
  /** Resolves when what it has written so far fulfils `holds`; rejects where it ends before. */
  until(holds: (stdout: string, stderr: string) => boolean): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<CommandEnd>;
}

/** Program and words. For Node there must be a build: see `buildOnce`. */
export function commandLine(words: readonly string[], runtime: RuntimeName = "node"): [string, ...string[]] {
  const source = join(root, "src/cli/main.ts");
  const program = {
    node: [join(root, "dist/src/cli/main.js")],
    deno: ["run", "-A", "--no-check", "--config", join(root, "deno.json"), source],
    bun: ["--bun", "run", source],
  }[runtime];
  return [executable(runtime)!, ...program, ...words];
}

/** What a command of these tests finds in its environment. */
export function environmentOf({ environment = {} }: Pick<CommandOptions, "environment">): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: process.env.HOME, ...environment };
}

export function startCommand(words: readonly string[], options: CommandOptions): RunningCommand {
  const [program, ...args] = commandLine(words, options.runtime);
  const child = spawn(program, args, {
    cwd: options.folder,
    env: environmentOf(options),
    stdio: ["pipe", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  let end: CommandEnd | null = null;
  const waiting = new Set<() => void>();
  const wake = () => waiting.forEach((check) => check());
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    wake();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    wake();
  });
  child.stdin.on("error", () => {}).end(options.input ?? "");
  const timer = setTimeout(() => sendSignal(child.pid, "SIGKILL"), LIFETIME_MS);
  const ended = new Promise<CommandEnd>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      end = { code: code ?? signal, stdout, stderr };
      wake();
      resolve(end);
    });
  });
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    kill: (signal) => sendSignal(child.pid, signal),
    ended,
    until: (holds) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const isFulfilled = holds(stdout, stderr);
          if (!isFulfilled && !end) return;
          waiting.delete(check);
          if (isFulfilled) resolve();
          else reject(new Error(`Expected more of the command, got its end: ${stdout}${stderr}`));
        };
        waiting.add(check);
        check();
      }),
  };
}

/** Run a command that ends by itself. */
export async function runCommand(words: readonly string[], options: CommandOptions): Promise<CommandEnd> {
  return await startCommand(words, options).ended;
}
