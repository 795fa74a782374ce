/**
 * `mcp-realtime mcp SERVICE` as a real process on each runtime, with the MCP package's own client at its standard input
 * and output.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/shared/transport"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { ToolAnswer } from "../mcp/mcp-client.ts";
import { executable, type RuntimeName, sendSignal } from "./start-program.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const LIFETIME_MS = 180_000;

const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) sendSignal(child.pid, "SIGKILL");
});

export interface AgentOptions {
  /** The service and flags. */
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly folder?: string;
}

/** The command line `mcp`, as a client would have it in its configuration. */
export function mcpCommand(runtime: RuntimeName): { readonly command: string; readonly args: string[] } {
  const command = executable(runtime);
  if (command === undefined) throw new Error(`Cannot start "mcp": there is no ${runtime} here`);
  const source = join(root, "src/cli/main.ts");
  const args = {
    node: [join(root, "dist/src/cli/main.js")],
    deno: ["run", "-A", "--no-check", "--config", join(root, "deno.json"), source],
    bun: ["--bun", "run", source],
  }[runtime];
  return { command, args: [...args, "mcp"] };
}

/** One process, spoken to line by line. */
export interface StdioProcess {
  readonly pid: number;
  /** Write to its standard input. */
  write(text: string): void;
  /** Close its standard input, as a client does that ends. */
  close(): void;
  kill(signal: NodeJS.Signals): void;
  /** Lines that it has written to standard output. */
  readonly lines: readonly string[];
  stdout(): string;
  stderr(): string;
  /** Called with each line to come. */
  onLine(work: (line: string) => void): void;
  /** Exit code or signal, when all it wrote has been read. */
  readonly ended: Promise<number | string | null>;
}

export function startStdio(runtime: RuntimeName, options: AgentOptions): StdioProcess {
  const { command, args } = mcpCommand(runtime);
  const child = spawn(command, [...args, ...options.args], {
    cwd: options.folder ?? root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: "1", ...options.environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  children.add(child);
  const lines: string[] = [];
  const listeners: ((line: string) => void)[] = [];
  let [stdout, rest, stderr] = ["", "", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) {
      lines.push(line);
      for (const told of listeners) told(line);
    }
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
  child.stdin.on("error", () => {});
  const timer = setTimeout(() => sendSignal(child.pid, "SIGKILL"), LIFETIME_MS);
  const ended = new Promise<number | string | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      children.delete(child);
      resolve(code ?? signal);
    });
  });
  return {
    pid: child.pid ?? 0,
    write: (text) => void child.stdin.write(text),
    close: () => void child.stdin.end(),
    kill: (signal) => sendSignal(child.pid, signal),
    lines,
    stdout: () => stdout,
    stderr: () => stderr,
    onLine: (work) => void listeners.push(work),
    ended,
  };
}

/** A client and the process that it has started. */
export interface Agent extends StdioProcess {
  readonly client: Client;
  /** Methods and parameters of the notifications that have come. */
  readonly told: { readonly method: string; readonly params?: Record<string, unknown> }[];
  call(name: string, data?: Record<string, unknown>): Promise<ToolAnswer>;
  /** Where the service that it serves, or goes to, is reached. */
  origin(): string;
  /** Whether it serves itself. */
  isServing(): boolean;
}

/** Start one and wait until it has been initialized. Ends it where that fails. */
export async function startAgent(runtime: RuntimeName, options: AgentOptions): Promise<Agent> {
  const program = startStdio(runtime, options);
  const client = new Client({ name: "test", version: "0" });
  const told: Agent["told"] = [];
  client.fallbackNotificationHandler = (notification) => {
    told.push(notification as Agent["told"][number]);
    return Promise.resolve();
  };
  try {
    await client.connect(transportOf(program), { timeout: 60_000 });
  } catch (cause) {
    program.kill("SIGKILL");
    throw new Error(`Cannot speak to mcp on ${runtime}: ${program.stderr()}`, { cause });
  }
  return {
    ...program,
    client,
    told,
    call: async (name, data = {}) =>
      await client.callTool({ name, arguments: data }, undefined, { timeout: 60_000 }) as ToolAnswer,
    origin: () => {
      const urls = [...program.stderr().matchAll(/^ {2}HTTP +(\S+)$| runs at (\S+)\/mcp: /gm)];
      return urls.at(-1)?.slice(1).find((url) => url !== undefined) ?? "";
    },
    isServing: () => /^ {2}MCP +\S+$/m.test(program.stderr()),
  };
}

function transportOf(program: StdioProcess): Transport {
  const transport: Transport = {
    start: () => {
      program.onLine((line) => {
        try {
          transport.onmessage?.(JSON.parse(line));
        } catch (error) {
          transport.onerror?.(error as Error);
        }
      });
      void program.ended.then(() => transport.onclose?.());
      return Promise.resolve();
    },
    send: (message) => Promise.resolve(program.write(`${JSON.stringify(message)}\n`)),
    close: () => Promise.resolve(program.close()),
  };
  return transport;
}
