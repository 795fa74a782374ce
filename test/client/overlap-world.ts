/**
 * A real server whose channels remember little, a client that listens to them one by one and all together over
 * connections that break, and a witness that hears everything.
 *
 * @module
 */
import * as v from "valibot";
import { WebSocket } from "ws";
import { type Client, createClient, type WebSocketClass } from "../../src/client/mod.ts";
import { silentLog } from "../../src/ports/log.ts";
import { defineContract } from "../../src/protocol/contract.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { RealtimeServer } from "../../src/server/realtime-server.ts";
import { defineService } from "../../src/service/define-service.ts";
import { CutLine } from "./cut-line.ts";
import type { Said } from "./judge-stay.ts";
import { OverlapStays } from "./overlap-stays.ts";

/** Events that a channel keeps. */
export const KEPT = 20;
/** Characters of an event, so that what all channels keep does not fit into a socket at once. */
const PADDING = "x".repeat(2_000);

const contract = defineContract({
  name: "overlaps",
  ports: { http: 18_790, websocket: 18_800 },
  channels: { doc: { description: "One document", id: "doc_id", history: { events: KEPT } } },
  events: {
    "doc.changed": {
      description: "Changed",
      channels: ["doc"],
      data: v.object({ doc_id: v.string(), n: v.number(), padding: v.string() }),
    },
  },
  requests: {},
});

const service = defineService({ contract, createManager: () => ({}), createHandlers: () => ({}) });

export class OverlapWorld {
  /** What the witness has heard. */
  readonly said: Said[] = [];
  /** How many events there were. */
  published = 0;
  readonly line = new CutLine(() => this.#look());
  readonly stays: OverlapStays;
  readonly client: Client;
  readonly #witness: Client;
  readonly #server: RealtimeServer<typeof contract>;
  readonly #waiting = new Set<() => void>();

  private constructor(server: RealtimeServer<typeof contract>, random: () => number) {
    this.#server = server;
    const url = `ws://127.0.0.1:${server.port}`;
    this.#witness = createClient({ url, WebSocket: WebSocket as unknown as WebSocketClass });
    this.client = createClient({
      url,
      WebSocket: this.line.WebSocket,
      minDelayMs: 5,
      maxDelayMs: 60,
      random,
      onState: () => this.#look(),
    });
    this.stays = new OverlapStays(this.client, () => this.#look());
  }

  /** @param random see `ClientOptions` */
  static async open(random: () => number): Promise<OverlapWorld> {
    const server = new RealtimeServer(service, {
      runtime: await detectRuntime({ log: silentLog }),
      log: silentLog,
      settings: {
        websocket: { port: 0, message_rate_limit: 0 },
        http: { port: 0 },
        storage: { path: "none" },
        shutdown: { drain_ms: 0 },
      },
    });
    await server.start();
    const world = new OverlapWorld(server, random);
    await world.#hear();
    return world;
  }

  publish(doc: string): void {
    this.#server.publish("doc.changed", { doc_id: doc, n: this.published++, padding: PADDING });
  }

  /** Resolves when the condition holds. It is looked at whenever one of the clients has heard, lost or got something. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** As long as the server takes to answer the witness. */
  async roundTrip(): Promise<void> {
    await this.#witness.request("ping", {});
  }

  async close(): Promise<void> {
    this.client.close();
    this.#witness.close();
    await this.#server.stop();
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }

  async #hear(): Promise<void> {
    const all = this.#witness.subscribe("doc:*");
    void (async () => {
      for await (const item of all) {
        // What it has not heard it lacks in the end.
        if (item.type === "event") this.said.push({ channel: item.channel, seq: item.seq!, id: item.id });
        this.#look();
      }
    })();
    await all.ready;
  }
}
