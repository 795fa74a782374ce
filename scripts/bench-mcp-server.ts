/**
 * The service that `bench-mcp.ts` measures, in a process of its own. Its first line on standard output is a JSON object
 * with its addresses.
 *
 * @module
 */
import process from "node:process";
import * as v from "valibot";
import { lineLog } from "../src/ports/log.ts";
import { defineContract } from "../src/protocol/contract.ts";
import { detectRuntime } from "../src/runtimes/detect.ts";
import { RealtimeServer } from "../src/server/realtime-server.ts";
import { defineService, type Manager, type ManagerContext } from "../src/service/define-service.ts";

const contract = defineContract({
  name: "bench",
  ports: { http: 18_680, websocket: 18_690 },
  channels: { feed: { description: "What is sent" } },
  events: {
    "feed.sent": {
      description: "Something was sent",
      channels: ["feed"],
      data: v.object({ n: v.number(), at: v.number(), pad: v.string() }),
    },
    "feed.ended": { description: "Never happens", channels: ["feed"], data: v.object({ n: v.number() }) },
  },
  requests: {
    send: {
      description: "Send events at a pace; answered at the end, with the processor time that it took",
      access: "write",
      input: v.object({ count: v.number(), every_ms: v.number() }),
      output: v.object({ cpu_ms: v.number() }),
    },
  },
});

/** Milliseconds since 1970, finer than `Date.now`. */
const epochMs = () => performance.timeOrigin + performance.now();

class Sender implements Manager {
  readonly #context: ManagerContext<typeof contract>;

  constructor(context: ManagerContext<typeof contract>) {
    this.#context = context;
  }

  getStatus() {
    return {};
  }

  async send(count: number, everyMs: number): Promise<{ cpu_ms: number }> {
    const before = process.cpuUsage();
    const begun = performance.now();
    for (let n = 0; n < count; n++) {
      const waitMs = begun + n * everyMs - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      this.#context.publish("feed.sent", { n, at: epochMs(), pad: "x".repeat(200) });
    }
    // What the last one causes belongs to it.
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { user, system } = process.cpuUsage(before);
    return { cpu_ms: (user + system) / 1_000 };
  }
}

const log = lineLog({ level: "warn" });
const server = new RealtimeServer(
  defineService({
    contract,
    createManager: (context) => new Sender(context),
    createHandlers: (manager) => ({ send: ({ count, every_ms }) => manager.send(count, every_ms) }),
  }),
  {
    runtime: await detectRuntime({ log }),
    log,
    settings: {
      websocket: { port: 0, max_connections: 2_000 },
      http: { port: 0 },
      storage: { path: "none" },
      shutdown: { drain_ms: 0 },
    },
  },
);
await server.start();
console.log(JSON.stringify({ websocket: server.port, http: server.httpPort }));
process.once("SIGTERM", () => void server.stop().then(() => process.exit(0)));
