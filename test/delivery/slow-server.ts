/**
 * A program for `slow-readers.ts`: a service that sends as much as it is asked to, on the runtime that it runs on. Its
 * first line on standard output is a JSON object with its ports.
 *
 * @module
 */
import process from "node:process";
import * as v from "valibot";
import { lineLog } from "../../src/ports/log.ts";
import { defineContract } from "../../src/protocol/contract.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { RealtimeServer } from "../../src/server/realtime-server.ts";
import { defineService, type Manager, type ManagerContext } from "../../src/service/define-service.ts";

const Sent = v.object({ to: v.string(), n: v.number(), key: v.string(), pad: v.string() });
const Sending = v.object({
  to: v.string(),
  count: v.number(),
  bytes: v.optional(v.number(), 0),
  keys: v.optional(v.number(), 1),
});
const Done = v.object({ sent: v.number() });
const Queue = v.object({ open: v.boolean(), bytes: v.number() });

const contract = defineContract({
  name: "slow",
  ports: { http: 18_680, websocket: 18_690 },
  channels: {
    feed: { description: "Every event counts", id: "to" },
    bulk: { description: "Every event counts, and is large", id: "to" },
    gauge: { description: "Of each key the latest counts", id: "to", latestBy: ["key"] },
  },
  events: {
    "feed.sent": { description: "", channels: ["feed"], data: Sent },
    "bulk.sent": { description: "", channels: ["bulk"], data: Sent },
    "gauge.sent": { description: "", channels: ["gauge"], data: Sent },
  },
  requests: {
    send_feed: { description: "", access: "write", input: Sending, output: Done },
    send_bulk: { description: "", access: "write", input: Sending, output: Done },
    send_gauge: { description: "", access: "write", input: Sending, output: Done },
    queue: {
      description: "What waits for a connection",
      access: "read",
      input: v.object({ connection_id: v.string() }),
      output: Queue,
    },
  },
});

type Kind = "feed" | "bulk" | "gauge";

class Sender implements Manager {
  readonly #context: ManagerContext<typeof contract>;
  readonly #counts = { feed: 0, bulk: 0, gauge: 0 };

  constructor(context: ManagerContext<typeof contract>) {
    this.#context = context;
  }

  getStatus() {
    return { ...this.#counts };
  }

  /** Each event in a tick of its own, with other work between them. */
  async send(kind: Kind, { to, count, bytes, keys }: v.InferOutput<typeof Sending>) {
    for (let sent = 0; sent < count; sent++) {
      const n = this.#counts[kind]++;
      this.#context.publish(`${kind}.sent`, { to, n, key: `key ${n % keys}`, pad: "x".repeat(bytes) });
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { sent: count };
  }
}

const connections = (): ReadonlyMap<string, { readonly outboundBytes: number }> => server.connections;

const service = defineService({
  contract,
  createManager: (context) => new Sender(context),
  createHandlers: (manager) => ({
    send_feed: (input) => manager.send("feed", input),
    send_bulk: (input) => manager.send("bulk", input),
    send_gauge: (input) => manager.send("gauge", input),
    queue: ({ connection_id }) => {
      const connection = connections().get(connection_id);
      return { open: connection !== undefined, bytes: connection?.outboundBytes ?? 0 };
    },
  }),
});

const log = lineLog({ level: "warn" });
const server = new RealtimeServer(service, {
  runtime: await detectRuntime({ log }),
  log,
  settings: {
    websocket: { port: 0, max_connections: 2_000, message_rate_limit: 0 },
    http: { port: 0 },
    storage: { path: "none" },
    shutdown: { drain_ms: 0 },
  },
});
await server.start();
console.log(JSON.stringify({ port: server.port, http: server.httpPort }));
process.once("SIGTERM", () => void server.stop().then(() => process.exit(0)));
