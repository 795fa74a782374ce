/**
 * A service on free ports, in this process, on whatever runtime runs the tests.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lineLog } from "../../src/ports/log.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import type { RealtimeServer } from "../../src/server/realtime-server.ts";
import type { SettingsPart } from "../../src/settings/schema.ts";
import { post } from "../support/http-client.ts";
import type { SampleRequest, ServiceDescription } from "./service-description.ts";

export interface RunningService {
  readonly server: RealtimeServer<never, never>;
  readonly url: string;
  readonly http: string;
  /** Lines of the log so far. */
  readonly log: readonly string[];
  /** Send a request over HTTP; one that is refused is an error. */
  request(request: SampleRequest, headers?: Readonly<Record<string, string>>): Promise<unknown>;
  /** Stop, and start anew on the same ports and the same database. */
  restart(between?: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

export async function startService(
  service: Pick<ServiceDescription, "name" | "Server" | "own">,
  settings: SettingsPart = {},
): Promise<RunningService> {
  const folder = await mkdtemp(join(tmpdir(), `${service.name}-`));
  const lines: string[] = [];
  const log = lineLog({ level: "debug", write: (line) => lines.push(line) });
  const runtime = await detectRuntime({ log });
  const own = await service.own?.(folder);
  const start = async (ports: { websocket: number; http: number }) => {
    const server = new service.Server({
      runtime,
      log,
      settings: {
        ...settings,
        ...own && { own },
        websocket: { ...settings.websocket, port: ports.websocket },
        http: { ...settings.http, port: ports.http },
        storage: { path: join(folder, "service.db") },
        shutdown: { drain_ms: 500 },
      },
    });
    await server.start();
    return server;
  };
  let server = await start({ websocket: 0, http: 0 });
  const ports = { websocket: server.port, http: server.httpPort };
  const http = `http://127.0.0.1:${ports.http}`;
  return {
    get server() {
      return server as unknown as RealtimeServer<never, never>;
    },
    url: `ws://127.0.0.1:${ports.websocket}`,
    http,
    log: lines,
    async request({ name, data }, headers) {
      const answer = await post(`${http}/api/requests/${name}`, data, headers);
      if (answer.status !== 200) throw new Error(`${name}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    async restart(between) {
      await server.stop();
      await between?.();
      server = await start(ports);
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
