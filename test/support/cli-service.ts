/**
 * A service that serves in a process of its own, and a folder whose settings say where, for tests of commands that speak
 * to it.
 *
 * @module
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CommandOptions } from "./command-process.ts";
import { serve, type Serving } from "./serve-process.ts";

export interface ServedService {
  /** Options of a command that finds the service by its settings. */
  readonly here: CommandOptions;
  readonly websocket: string;
  readonly http: string;
  /** Ask it over HTTP. Rejects where it refuses. */
  post(request: string, data: object): Promise<Record<string, unknown>>;
  signal(signal: NodeJS.Signals): void;
  /** End the process; whoever is connected sees it go. */
  stop(signal?: NodeJS.Signals): Promise<unknown>;
  /** Serve again on the same ports. */
  again(): Promise<void>;
}

export interface ServedOptions {
  /** An empty folder of its own. */
  readonly folder: string;
  readonly service: string;
  /** Blocks of the settings beside the ports. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
}

export async function serveIn(
  { folder, service, settings = {}, environment = {} }: ServedOptions,
): Promise<ServedService> {
  await mkdir(join(folder, "settings"), { recursive: true });
  const file = join(folder, "settings", `${service}.yaml`);
  const start = (ports: { websocket: number; http: number }) => {
    const blocks = { ...settings, websocket: { port: ports.websocket }, http: { port: ports.http } };
    return writeFile(file, JSON.stringify(blocks)).then(() =>
      serve("node", { args: [service], folder, environment, lifetimeMs: 240_000 })
    );
  };
  let serving: Serving = await start({ websocket: 0, http: 0 });
  const { websocket, http } = serving;
  const ports = { websocket: Number(new URL(websocket).port), http: Number(new URL(http).port) };
  await writeFile(
    file,
    JSON.stringify({ ...settings, websocket: { port: ports.websocket }, http: { port: ports.http } }),
  );
  return {
    here: { folder },
    websocket,
    http,
    async post(request, data) {
      const answer = await fetch(`${http}/api/requests/${request}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(data),
      });
      const body = await answer.json() as Record<string, unknown>;
      if (!answer.ok) throw new Error(`Expected ${request} to be done, got ${JSON.stringify(body)}`);
      return body;
    },
    signal: (signal) => serving.kill(signal),
    async stop(signal = "SIGTERM") {
      serving.kill(signal);
      return await serving.ended;
    },
    async again() {
      serving = await start(ports);
    },
  };
}
