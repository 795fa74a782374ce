/**
 * Examples as child processes, and clients that speak to them as any program would.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { command, type RuntimeName, sendSignal } from "../support/start-program.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** How long an example may take to say that it is up: on Node 20 every source is translated first. On a busy machine. */
export const START_TIMEOUT_MS = 60_000;
/** And how long to end once it was asked. */
const STOP_TIMEOUT_MS = 10_000;

export interface Example {
  /** Lines on standard output, up to the one that was waited for. */
  readonly lines: readonly string[];
  /** Send SIGTERM (SIGKILL where that does not help) and wait. Resolves with the exit code, or the signal. */
  stop(): Promise<number | NodeJS.Signals | null>;
}

/** Start an example and wait for the line that says that it is up. */
export async function startExample(
  runtime: RuntimeName,
  path: string,
  options: { isUp: RegExp; args?: readonly string[]; environment?: Record<string, string> },
): Promise<Example> {
  const { program, args } = command(runtime, path);
  const child = spawn(program, [...args, ...options.args ?? []], {
    cwd: root,
    env: { ...process.env, ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
  const ended = once(child, "close").then(([code, signal]) => code ?? signal);
  const timer = setTimeout(() => sendSignal(child.pid, "SIGKILL"), START_TIMEOUT_MS);
  const lines: string[] = [];
  const output = createInterface({ input: child.stdout });
  for await (const line of output) {
    lines.push(line);
    if (options.isUp.test(line)) break;
  }
  clearTimeout(timer);
  if (!options.isUp.test(lines.at(-1) ?? "")) throw new Error(`'${path}' on ${runtime} is not up: ${stderr}`);
  // What is printed later must not fill the pipe.
  child.stdout.resume();
  return {
    lines,
    async stop() {
      const cut = setTimeout(() => sendSignal(child.pid, "SIGKILL"), STOP_TIMEOUT_MS);
      sendSignal(child.pid, "SIGTERM");
      return await ended.finally(() => clearTimeout(cut));
    },
  };
}

// deno-lint-ignore no-explicit-any
export type ReceivedFrame = Record<string, any>;

export interface Client {
  send(frame: object): void;
  /** The first frame not taken yet that has these values. Rejects when the connection ends without it. */
  take(wanted: { type?: string; event?: string }): Promise<ReceivedFrame>;
  /** End the connection without a word, as a program does that is killed. */
  cut(): void;
  /** The close code, when the connection has ended. */
  readonly closed: Promise<number>;
}

/** Connect, as a page of `origin` where one is given. Rejects with the status where the upgrade is refused. */
export async function connect(url: string, origin?: string): Promise<Client> {
  const socket = new WebSocket(url.replace(/^http/, "ws"), origin === undefined ? {} : { origin });
  const frames: ReceivedFrame[] = [];
  const waiting = new Set<() => void>();
  let isOver = false;
  const wake = () => waiting.forEach((check) => check());
  socket.on("message", (data) => {
    frames.push(JSON.parse(String(data)));
    wake();
  });
  const closed = new Promise<number>((resolve) => {
    socket.on("close", (code) => {
      isOver = true;
      wake();
      resolve(code);
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.on("open", resolve);
    socket.on("error", reject);
    socket.on("unexpected-response", (_request, response) => {
      reject(new Error(`refused with ${response.statusCode}`));
      response.resume();
      socket.terminate();
    });
  });
  return {
    closed,
    cut: () => socket.terminate(),
    send: (frame) => socket.send(JSON.stringify(frame)),
    take: (wanted) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const index = frames.findIndex((frame) =>
            Object.entries(wanted).every(([key, value]) => frame[key] === value)
          );
          if (index < 0 && !isOver) return;
          waiting.delete(check);
          if (index >= 0) resolve(frames.splice(index, 1)[0]!);
          else reject(new Error(`The connection ended without ${JSON.stringify(wanted)}`));
        };
        waiting.add(check);
        check();
      }),
  };
}

/** POST a request's data to `{url}/{name}`. */
export async function post(url: string, data: object): Promise<{ status: number; body: ReceivedFrame }> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close" },
    body: JSON.stringify(data),
  });
  return { status: response.status, body: await response.json() as ReceivedFrame };
}

/** Whether a program could listen on the port of this address now. */
export async function isFree(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const server = createServer();
  return await new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ host: hostname, port: Number(port) }, () => server.close(() => resolve(true)));
  });
}
