/**
 * Who is measured: this project on each runtime, and its peers.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { command, hasRuntime, type RuntimeName } from "../test/support/start-program.ts";
import { pythonPath } from "../test/support/require.ts";
import type { DialectName } from "./load/dialects.ts";
import { Program } from "./program.ts";
import type { Memory, Ports } from "./subjects/control.ts";
import type { Share } from "./subjects/profile.ts";

interface Kind {
  /** As the table shows it. */
  readonly title: string;
  readonly runtime: RuntimeName | "python";
  readonly file: string;
  readonly arguments?: readonly string[];
  readonly dialect: DialectName;
}

export const SUBJECTS = {
  node: { title: "mcp-realtime, Node", runtime: "node", file: "realtime.ts", dialect: "realtime" },
  ws: { title: "ws loop, Node", runtime: "node", file: "ws-loop.ts", dialect: "plain" },
  socketIo: { title: "Socket.IO, Node", runtime: "node", file: "socket-io.ts", dialect: "socket.io" },
  bun: { title: "mcp-realtime, Bun", runtime: "bun", file: "realtime.ts", dialect: "realtime" },
  bunPublish: { title: "server.publish, Bun", runtime: "bun", file: "bun-publish.ts", dialect: "plain" },
  deno: { title: "mcp-realtime, Deno", runtime: "deno", file: "realtime.ts", dialect: "realtime" },
  denoLoop: { title: "own sockets, Deno", runtime: "deno", file: "deno-loop.ts", dialect: "plain" },
  pythonLoop: {
    title: "websockets, one by one",
    runtime: "python",
    file: "python_broadcast.py",
    arguments: ["sequential"],
    dialect: "plain",
  },
  pythonBroadcast: {
    title: "websockets, broadcast()",
    runtime: "python",
    file: "python_broadcast.py",
    arguments: ["broadcast"],
    dialect: "plain",
  },
} as const satisfies Readonly<Record<string, Kind>>;

export type SubjectName = keyof typeof SUBJECTS;

/** Whether this machine can run it. What is missing is said aloud; under `REQUIRE_ALL=1` it is an error. */
export function canRun(name: SubjectName): boolean {
  const { runtime } = SUBJECTS[name];
  return runtime === "python" ? pythonPath(["websockets"]) !== undefined : hasRuntime(runtime);
}

/** Whether it can say where its time goes. */
export function canProfile(name: SubjectName): boolean {
  return SUBJECTS[name].runtime === "node";
}

/** A server under test. */
export class Subject {
  readonly name: SubjectName;
  readonly ports: Ports;
  readonly #program: Program;

  private constructor(name: SubjectName, program: Program, ports: Ports) {
    this.name = name;
    this.ports = ports;
    this.#program = program;
  }

  /** @param extra Arguments beside its own. */
  static async start(name: SubjectName, extra: readonly string[] = []): Promise<Subject> {
    const subject: Kind = SUBJECTS[name];
    const file = fileURLToPath(new URL(`./subjects/${subject.file}`, import.meta.url));
    const words = [...(subject.arguments ?? []), ...extra];
    const program = new Program(subject.title, [...commandOf(subject.runtime, file), ...words], "server");
    return new Subject(name, program, await program.answer());
  }

  get title(): string {
    return SUBJECTS[this.name].title;
  }

  get dialect(): DialectName {
    return SUBJECTS[this.name].dialect;
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** After collection. */
  memory(): Promise<Memory> {
    return this.#program.ask("memory");
  }

  /** What the server's time goes to while `work` is under way. */
  async profiled(work: () => Promise<unknown>): Promise<readonly Share[]> {
    await this.#program.ask("profile");
    await work();
    return await this.#program.ask("profile");
  }

  /** As it stands. */
  residentBytes(): number {
    const [kibibytes = ""] = /(?<=^VmRSS:\s+)\d+/m.exec(readFileSync(`/proc/${this.pid}/status`, "utf8")) ??
      [];
    return Number(kibibytes) * 1_024;
  }

  stop(): Promise<void> {
    return this.#program.stop();
  }
}

/** The command that runs a program of this folder. */
export function commandOf(runtime: RuntimeName | "python", file: string): string[] {
  if (runtime === "python") return [pythonPath(["websockets"]) ?? "python3", "-B", file];
  const { program, args } = command(runtime, file);
  const flags = { node: ["--expose-gc"], deno: [], bun: [] }[runtime];
  // Deno takes the engine's flags behind its own word.
  const words = runtime === "deno" ? [args[0]!, "--v8-flags=--expose-gc", ...args.slice(1)] : args;
  return [program, ...flags, ...words];
}

/** The load generator. It runs on Node whatever it measures. */
export function startLoad(): Program {
  const file = fileURLToPath(new URL("./load/main.ts", import.meta.url));
  return new Program("The load generator", commandOf("node", file), "load");
}

process.setMaxListeners(100);
