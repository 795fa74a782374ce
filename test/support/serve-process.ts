/**
 * The programs that a person starts, as real processes on each runtime: the command line's `serve`, `npm start`'s own
 * script, and the entry point of one service.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { executable, type RuntimeName, sendSignal } from "./start-program.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** How long a program may take to what it is to do, on a busy machine. */
const PATIENCE_MS = 20_000;

/** `serve`: the command line's. `start`: what `npm start` runs. A service's name: its own entry point. */
export type Entry = "serve" | "start" | "session-buddy";

export interface Ended {
  /** Exit code, or the signal that ended it. */
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What standard error said besides log lines of level debug, info and warn. */
  readonly complaints: readonly string[];
}

export interface ServeProcess {
  readonly pid: number;
  /** What it printed to standard output so far. */
  stdout(): string;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
  /** Whether any process of its group is left. */
  isAlive(): boolean;
}

/** One that serves, and the addresses that it has printed. */
export interface Serving extends ServeProcess {
  /** Empty where it printed none. */
  readonly websocket: string;
  readonly http: string;
  readonly mcp: string;
}

export interface StartOptions {
  readonly entry?: Entry;
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Where it is started: `settings/{service}.yaml` and relative paths count from there. Default: the project. */
  readonly folder?: string;
  /** Where standard error goes: to nobody who reads it, or to a device that is full. @default to `stderr()` */
  readonly log?: "closed" | "full";
  /** Milliseconds after which it is killed. @default 60_000 */
  readonly lifetimeMs?: number;
}

const children = new Set<number>();
process.on("exit", () => {
  for (const pid of children) killGroup(pid);
});

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Gone already, which is what was wanted.
  }
}

function commandOf(runtime: RuntimeName, entry: Entry): string[] {
  const program = executable(runtime);
  if (program === undefined) throw new Error(`Cannot start "${entry}": there is no ${runtime} here`);
  // The script of `npm start`, which serves in the process that it was started in.
  if (entry === "start") return [program, join(root, "scripts/start.mjs")];
  const source = join(root, entry === "serve" ? "src/cli/main.ts" : `services/${entry}/main.ts`);
  const words = entry === "serve" ? ["serve"] : [];
  if (runtime === "deno") return [program, "run", "-A", source, ...words];
  if (runtime === "bun") return [program, "--bun", "run", source, ...words];
  return [program, join(root, "dist", relative(root, source).replace(/\.ts$/, ".js")), ...words];
}

/** Start a program. For Node there must be a build: see `buildOnce`. */
export function start(runtime: RuntimeName, options: StartOptions = {}): ServeProcess {
  const [program, ...words] = commandOf(runtime, options.entry ?? "serve") as [string, ...string[]];
  const full = options.log === "full" ? openSync("/dev/full", "w") : undefined;
  const child = spawn(program, [...words, ...(options.args ?? [])], {
    cwd: options.folder ?? root,
    env: { ...process.env, NO_COLOR: "1", ...options.environment },
    stdio: ["ignore", "pipe", full ?? "pipe"],
    // A group of its own, so that nothing it has started can be overlooked.
    detached: true,
  });
  if (full !== undefined) closeSync(full);
  const pid = child.pid ?? 0;
  children.add(pid);
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
  if (options.log === "closed") child.stderr?.destroy();
  const timer = setTimeout(() => killGroup(pid), options.lifetimeMs ?? 3 * PATIENCE_MS);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      children.delete(pid);
      resolve({ code: code ?? signal, stdout, stderr, complaints: complaintsIn(stderr) });
    });
  });
  return {
    pid,
    stdout: () => stdout,
    stderr: () => stderr,
    kill: (signal) => sendSignal(pid, signal),
    ended,
    isAlive() {
      try {
        process.kill(-pid, 0);
        return true;
      } catch {
        return false;
      }
    },
  };
}

/** Start a program and wait until it serves. */
export async function serve(runtime: RuntimeName, options: StartOptions = {}): Promise<Serving> {
  const program = start(runtime, options);
  const late = Date.now() + PATIENCE_MS;
  let over = false;
  void program.ended.then(() => over = true);
  while (!program.stdout().includes("Stop with Ctrl-C")) {
    if (over || Date.now() > late) {
      killGroup(program.pid);
      throw new Error(`Expected ${runtime} to serve, got: ${program.stdout()}${program.stderr()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const address = (label: string) =>
    new RegExp(`^  ${label} +(\\S+)$`, "m").exec(program.stdout())?.[1] ?? "";
  return { ...program, websocket: address("WebSocket"), http: address("HTTP"), mcp: address("MCP") };
}

/** Start a program that is to end by itself. */
export async function runToEnd(runtime: RuntimeName, options: StartOptions = {}): Promise<Ended> {
  const program = start(runtime, options);
  const timer = setTimeout(() => program.kill("SIGKILL"), PATIENCE_MS);
  const ended = await program.ended;
  clearTimeout(timer);
  if (program.isAlive()) {
    killGroup(program.pid);
    throw new Error("Expected the program to leave nothing running, got a process of its group");
  }
  return ended;
}

function complaintsIn(stderr: string): string[] {
  const isLog = /^\d{4}-\d\d-\d\dT[\d:.]+Z (?:DEBUG|INFO|WARN) /;
  return stderr.split("\n").filter((line) => line !== "" && !isLog.test(line));
}

/** A folder for one test file, and a database file in it per name. */
export interface Scratch {
  readonly folder: string;
  /** Flags for free ports and a database of this name. */
  flags(name: string): string[];
  remove(): Promise<void>;
}

export async function makeScratch(): Promise<Scratch> {
  const folder = await mkdtemp(join(tmpdir(), "realtime-process-"));
  return {
    folder,
    flags: (name) => ["--port", "0", "--http-port", "0", "--storage", join(folder, `${name}.db`)],
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Rejects where the port cannot be opened. */
export async function bind(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  await new Promise((resolve) => server.close(resolve));
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
