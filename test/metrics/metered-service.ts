/**
 * A service whose every number can be made to move, and its numbers as a scraper reads them.
 *
 * @module
 */
import * as v from "valibot";
import { lineLog } from "../../src/ports/log.ts";
import { defineContract } from "../../src/protocol/contract.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { RealtimeServer, type ServerOptions } from "../../src/server/realtime-server.ts";
import { defineService, type Manager, type ManagerContext } from "../../src/service/define-service.ts";
import type { SettingsPart } from "../../src/settings/schema.ts";
import { get } from "../support/http-client.ts";
import { type Parsed, parsePrometheus } from "../support/prometheus-text.ts";

const noted = v.object({ note_id: v.string(), text: v.string() });

const contract = defineContract({
  name: "metered",
  ports: { http: 18_678, websocket: 18_688 },
  channels: {
    note: { description: "One note", id: "note_id" },
    gauge: { description: "What of one note only the latest counts", id: "note_id", latestBy: [] },
  },
  events: {
    "note.written": { description: "A note was written", channels: ["note"], data: noted },
    "note.shown": { description: "A note is shown", channels: ["gauge"], data: noted },
  },
  requests: {
    write: { description: "Write a note", access: "write", input: noted, output: v.object({}) },
    show: { description: "Show a note", access: "write", input: noted, output: v.object({}) },
  },
});

class MeteredManager implements Manager {
  readonly commit: ManagerContext<typeof contract>["commit"];

  constructor({ commit }: ManagerContext<typeof contract>) {
    this.commit = commit;
  }

  stop(): void {}
}

const service = defineService({
  contract,
  createManager: (context) => new MeteredManager(context),
  createHandlers: ({ commit }) => ({
    write: (note, call) =>
      commit((transaction) => {
        transaction.emit("note.written", note);
        return {};
      }, call),
    show: (note, call) =>
      commit((transaction) => {
        transaction.emit("note.shown", note);
        return {};
      }, call),
  }),
});

/** Numbers of one moment. */
export class Readings {
  readonly #parsed: Parsed;

  constructor(text: string) {
    this.#parsed = parsePrometheus(text);
  }

  /**
   * Sum of the series with these labels; of a histogram, how much was observed. Undefined where there is none.
   */
  sum(metric: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const name = this.#parsed.types.get(metric) === "histogram" ? `${metric}_count` : metric;
    const found = this.#parsed.samples.filter((sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value)
    );
    return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
  }
}

/** A server of it that is not open yet. */
export async function makeMetered(
  settings: SettingsPart = {},
  options: Pick<ServerOptions, "clock" | "createBroker"> = {},
) {
  const log = lineLog({ level: "error" });
  return new RealtimeServer(service, {
    ...options,
    runtime: await detectRuntime({ log }),
    log,
    settings: {
      ...settings,
      websocket: { port: 0, welcome: "off", ...settings.websocket },
      http: { port: 0 },
      storage: { path: "none", ...settings.storage },
      shutdown: { drain_ms: 0 },
    },
  });
}

/** One that serves, with its numbers as they are on its HTTP port. */
export async function startMetered(...[settings, options]: Parameters<typeof makeMetered>) {
  const server = await makeMetered(settings, options);
  await server.start();
  const http = `http://127.0.0.1:${server.httpPort}`;
  return {
    server,
    http,
    url: `ws://127.0.0.1:${server.port}`,
    async read(): Promise<Readings> {
      const { status, body } = await get(`${http}/metrics`);
      if (status !== 200) throw new Error(`Expected metrics, got ${status} ${JSON.stringify(body)}`);
      return new Readings(body);
    },
  };
}

export type Metered = Awaited<ReturnType<typeof startMetered>>;
