/**
 * TypeScript programs as real child processes, on each of the runtimes.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { requireOrSkip } from "./require.ts";

export type RuntimeName = "node" | "deno" | "bun";

const root = fileURLToPath(new URL("../..", import.meta.url));
const hooks = new URL("./typescript-hooks.mjs", import.meta.url).href;
const modules = `${root}node_modules`;

/** How long a program may take to its first line, and to its end once it was asked. On a busy machine. */
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;

export interface ProgramOptions {
  readonly args?: readonly string[];
  /** Variables added to this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A program that runs and has written its first line. */
export interface Program<Ready> {
  /** The first line on standard output, which must be a JSON object. */
  readonly ready: Ready;
  readonly pid: number;
  /** All lines on standard output so far. */
  readonly lines: readonly string[];
  /** What came on standard error so far. */
  stderr(): string;
  /** Resolves with the first line, also a past one, that `matches`. Rejects when the program ends without one. */
  line(matches: (line: string) => boolean): Promise<string>;
  /** Resolves when the program has ended, with its exit code or the signal. */
  readonly ended: Promise<number | string | null>;
  /** Ask it to end (SIGTERM unless told), kill it if it does not, and wait. */
  stop(signal?: NodeJS.Signals): Promise<number | string | null>;
}

/**
 * Whether this machine has the runtime. A missing one is said aloud on standard error.
 *
 * @throws {Error} where it is missing and `REQUIRE_ALL=1`.
 */
export function hasRuntime(name: RuntimeName): boolean {
  return requireOrSkip(name, executable(name) !== undefined, "run npm ci");
}

/** Not by `child.kill`: Deno then tells this signal as the child's end, whatever its end was. */
export function sendSignal(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

const executables = new Map<RuntimeName, string | undefined>();

/** The program itself, not a script that starts it: a signal must reach it. */
export function executable(name: RuntimeName): string | undefined {
  if (!executables.has(name)) {
    const works = (path: string) => spawnSync(path, ["--version"], { stdio: "ignore" }).status === 0;
    executables.set(name, candidates(name).find(works));
  }
  return executables.get(name);
}

function candidates(name: RuntimeName): string[] {
  if (name === "node") {
    // `bun --bun` puts a folder in front of PATH in which `node` is Bun.
    const folders = (process.env.PATH ?? "").split(delimiter).filter((path) =>
      !/[\\/]bun-node-[^\\/]*$/.test(path)
    );
    return folders.map((folder) => join(folder, "node")).filter((path) => existsSync(path));
  }
  const inPackage = name === "deno" ? [`${modules}/deno/deno`] : [`${modules}/bun/bin/bun.exe`];
  const scope = `${modules}/${name === "deno" ? "@deno" : "@oven"}`;
  const inPlatformPackages = (existsSync(scope) ? readdirSync(scope) : [])
    .flatMap((folder) => [`${scope}/${folder}/${name}`, `${scope}/${folder}/bin/${name}`]);
  return [...[...inPackage, ...inPlatformPackages].filter((path) => existsSync(path)), name];
}

/** The command that runs a TypeScript file. */
export function command(name: RuntimeName, path: string): { program: string; args: string[] } {
  const program = executable(name);
  if (!program) throw new Error(`Cannot run "${path}": there is no ${name} on this machine`);
  const args = { node: ["--import", hooks], deno: ["run", "-A", "--no-check"], bun: ["run"] }[name];
  return { program, args: [...args, path] };
}

/** Start a program and wait for its first line. */
export async function startProgram<Ready>(
  runtime: RuntimeName,
  path: string,
  options: ProgramOptions = {},
): Promise<Program<Ready>> {
  const { program, args } = command(runtime, path);
  const child = spawn(program, [...args, ...(options.args ?? [])], {
    cwd: root,
    env: { ...process.env, ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const watched = watch(child);
  const timer = setTimeout(() => sendSignal(child.pid, "SIGKILL"), START_TIMEOUT_MS);
  try {
    const ready = JSON.parse(await watched.line(() => true)) as Ready;
    return { ready, pid: child.pid ?? 0, ...watched };
  } catch (cause) {
    throw new Error(`Cannot start "${path}" on ${runtime}: ${watched.stderr()}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

function watch(child: ChildProcess): Omit<Program<unknown>, "ready" | "pid"> {
  const lines: string[] = [];
  let stderr = "";
  let rest = "";
  let hasEnded = false;
  const waiting = new Set<() => void>();
  const wake = () => waiting.forEach((check) => check());
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
    wake();
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
  const ended = new Promise<number | string | null>((resolve) => {
    const end = (result: number | string | null) => {
      hasEnded = true;
      wake();
      resolve(result);
    };
    child.on("error", (error) => end(error.message));
    child.on("close", (code, signal) => end(code ?? signal));
  });
  return {
    lines,
    stderr: () => stderr,
    ended,
    line: (matches) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const found = lines.find(matches);
          if (found === undefined && !hasEnded) return;
          waiting.delete(check);
          if (found === undefined) {
            reject(new Error(`Expected a line, got the end of the program: ${stderr}`));
          } else resolve(found);
        };
        waiting.add(check);
        check();
      }),
    async stop(signal = "SIGTERM") {
      const timer = setTimeout(() => sendSignal(child.pid, "SIGKILL"), STOP_TIMEOUT_MS);
      if (!hasEnded) sendSignal(child.pid, signal);
      try {
        return await ended;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
