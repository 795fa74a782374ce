/**
 * A service started by the command of a deployment file, on free ports that the environment names.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { freePort } from "../support/serve-process.ts";
import { sendSignal } from "../support/start-program.ts";

/** How long it may take to anything, on a busy machine. */
const PATIENCE_MS = 60_000;

export interface ServedCommand {
  readonly pid: number;
  readonly http: string;
  readonly websocket: string;
  /** Resolves when its log holds this text. */
  logged(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Exit code or signal. */
  readonly ended: Promise<number | string | null>;
}

export interface CommandOptions {
  /** Where it is started. */
  readonly folder: string;
  /** The service's name. */
  readonly service: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** The variables that put a service on free ports. */
export async function freePorts(
  service: string,
): Promise<{ environment: Record<string, string>; http: string; websocket: string }> {
  const prefix = service.toUpperCase().replaceAll("-", "_");
  const [port, httpPort] = [await freePort(), await freePort()];
  return {
    environment: { [`${prefix}_PORT`]: `${port}`, [`${prefix}_HTTP_PORT`]: `${httpPort}` },
    http: `http://127.0.0.1:${httpPort}`,
    websocket: `ws://127.0.0.1:${port}`,
  };
}

/** Start it and wait until it serves. It is killed after a while. */
export async function serveCommand(
  [program, ...args]: readonly string[],
  { folder, service, environment = {} }: CommandOptions,
): Promise<ServedCommand> {
  const ports = await freePorts(service);
  const child = spawn(program!, args, {
    cwd: folder,
    env: { ...process.env, NO_COLOR: "1", ...ports.environment, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  let over = false;
  const checks = new Set<() => void>();
  const check = () => checks.forEach((look) => look());
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      check();
    });
  }
  const timer = setTimeout(() => sendSignal(child.pid, "SIGKILL"), PATIENCE_MS);
  const ended = new Promise<number | string | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      over = true;
      check();
      resolve(code ?? signal);
    });
  });
  const logged = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!said.includes(text) && !over) return;
        checks.delete(look);
        if (said.includes(text)) resolve();
        else reject(new Error(`Expected "${text}", got the program's end: ${said}`));
      };
      checks.add(look);
      look();
    });
  await logged("Stop with Ctrl-C");
  return { ...ports, pid: child.pid ?? 0, logged, ended, kill: (signal) => sendSignal(child.pid, signal) };
}
