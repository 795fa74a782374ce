/**
 * A program that stands for itself: started by its path in a folder of its own, with no environment but what is given.
 *
 * @module
 */
import { spawn } from "node:child_process";

const LIFETIME_MS = 180_000;

/** A command line without what it is asked to do. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

export interface Surroundings {
  readonly folder: string;
  /** All of it. @default none */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Addresses {
  readonly websocket: string;
  readonly http: string;
  readonly mcp: string;
}

export interface EndedProgram {
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningProgram {
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  /** Resolves when standard output holds the text; rejects when the program ends without. */
  says(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<EndedProgram>;
}

const children = new Set<number>();
process.on("exit", () => {
  for (const pid of children) signal(pid, "SIGKILL");
});

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

export function launch(command: Command, words: readonly string[], around: Surroundings): RunningProgram {
  const child = spawn(command.program, [...command.args, ...words], {
    cwd: around.folder,
    env: { ...around.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const pid = child.pid ?? 0;
  if (pid !== 0) children.add(pid);
  let [stdout, stderr, isOver] = ["", "", false];
  const waiting = new Set<() => void>();
  const wake = () => waiting.forEach((look) => look());
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    wake();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
  const timer = setTimeout(() => signal(pid, "SIGKILL"), LIFETIME_MS);
  const ended = new Promise<EndedProgram>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, name) => {
      clearTimeout(timer);
      children.delete(pid);
      isOver = true;
      wake();
      resolve({ code: code ?? name, stdout, stderr });
    });
  });
  return {
    pid,
    stdout: () => stdout,
    stderr: () => stderr,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const isSaid = stdout.includes(text);
          if (!isSaid && !isOver) return;
          waiting.delete(look);
          if (isSaid) resolve();
          else reject(new Error(`Expected "${text}", got the program's end: ${stdout}${stderr}`));
        };
        waiting.add(look);
        look();
      }),
    kill: (name) => signal(pid, name),
    ended,
  };
}

/** What `serve` has printed of each service. */
export function addressesIn(stdout: string): Map<string, Addresses> {
  const found = new Map<string, Addresses>();
  const block = /^(\S+)\n {2}WebSocket +(\S+)\n {2}HTTP +(\S+)\n {2}MCP +(\S+)$/gm;
  for (const [, name = "", websocket = "", http = "", mcp = ""] of stdout.matchAll(block)) {
    found.set(name, { websocket, http, mcp });
  }
  return found;
}
