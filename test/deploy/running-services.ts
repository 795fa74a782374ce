/**
 * All six services, as they run in one process, after something has happened to each; and what their /metrics say.
 *
 * @module
 */
import { AkoshaWebSocketServer } from "../../services/akosha/mod.ts";
import { CrackerjackWebSocketServer } from "../../services/crackerjack/mod.ts";
import { DhruvaWebSocketServer } from "../../services/dhruva/mod.ts";
import { ExcalidrawWebSocketServer } from "../../services/excalidraw/mod.ts";
import { MahavishnuWebSocketServer } from "../../services/mahavishnu/mod.ts";
import { SessionBuddyWebSocketServer } from "../../services/session-buddy/mod.ts";
import { silentLog } from "../../src/ports/log.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { FrameClient } from "../support/frame-client.ts";
import { get } from "../support/http-client.ts";
import { type Parsed, parsePrometheus } from "../support/prometheus-text.ts";

export interface RunningServices {
  /** Host and port of each service's HTTP side. */
  readonly targets: readonly string[];
  /** All their metrics together, as Prometheus has them when it has scraped each. */
  metrics(): Promise<Parsed>;
  /** Let something happen at each: a request, an event, a client that is one too many. */
  stir(): Promise<void>;
  stop(): Promise<void>;
}

export async function startServices(): Promise<RunningServices> {
  const runtime = await detectRuntime({ log: silentLog });
  const settings = {
    websocket: { port: 0, max_connections: 1 },
    http: { port: 0 },
    storage: { path: ":memory:" },
    shutdown: { drain_ms: 0 },
  };
  const options = { runtime, log: silentLog, settings };
  const servers = [
    new SessionBuddyWebSocketServer(options),
    new MahavishnuWebSocketServer(options),
    new AkoshaWebSocketServer({ ...options, settings: { ...settings, own: { feeds: {} } } }),
    new CrackerjackWebSocketServer(options),
    new DhruvaWebSocketServer(options),
    new ExcalidrawWebSocketServer(options),
  ];
  const announcement = { message: "Hello", level: "info", source: "test" } as const;
  const clients: FrameClient[] = [];
  for (const server of servers) {
    await server.start();
    const client = await FrameClient.open(`ws://127.0.0.1:${server.port}`);
    clients.push(client);
    await client.request("subscribe", { channel: "global" });
  }
  const stir = async () => {
    for (const [index, server] of servers.entries()) {
      await clients[index]!.request("get_status");
      (server as unknown as SessionBuddyWebSocketServer).publish("system.announcement", announcement);
      await clients[index]!.event("system.announcement", "global");
      await (await FrameClient.open(`ws://127.0.0.1:${server.port}`)).closed;
    }
  };
  await stir();
  const targets = servers.map(({ httpPort }) => `127.0.0.1:${httpPort}`);
  return {
    targets,
    stir,
    async metrics() {
      const all = await Promise.all(
        targets.map(async (target) => parsePrometheus((await get(`http://${target}/metrics`)).body)),
      );
      return { ...all[0]!, samples: all.flatMap(({ samples }) => samples) };
    },
    async stop() {
      for (const client of clients) await client.close();
      for (const server of servers) await server.stop();
    },
  };
}
