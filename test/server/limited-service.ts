/**
 * A service for tests of limits, whose requests wait until the test lets them go, and ways to reach it from several
 * addresses.
 *
 * @module
 */
import { once } from "node:events";
import { request } from "node:http";
import * as v from "valibot";
import { type Clock, systemClock } from "../../src/ports/clock.ts";
import { lineLog } from "../../src/ports/log.ts";
import { defineContract } from "../../src/protocol/contract.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { RealtimeServer } from "../../src/server/realtime-server.ts";
import { defineService } from "../../src/service/define-service.ts";
import type { SettingsPart } from "../../src/settings/schema.ts";
import { get } from "../support/http-client.ts";

const empty = v.object({});

const contract = defineContract({
  name: "limited",
  ports: { http: 18_678, websocket: 18_688 },
  channels: { thing: { description: "One thing", id: "thing_id" } },
  events: {},
  requests: {
    look: { description: "Look", access: "read", input: empty, output: empty },
    wait: { description: "Wait until told", access: "read", input: empty, output: empty },
  },
});

/** Timers run as ever; the time stands still until the test moves it, so that a rate is exact on a busy machine. */
export class StandingClock implements Clock {
  #ms = 0;
  readonly now = () => Date.now();
  readonly monotonic = () => this.#ms;
  readonly after: Clock["after"] = systemClock.after;
  readonly every: Clock["every"] = systemClock.every;
  readonly endOfTick: Clock["endOfTick"] = systemClock.endOfTick;

  forward(ms: number): void {
    this.#ms += ms;
  }
}

export type Limited = Awaited<ReturnType<typeof startLimited>>;

export async function startLimited(settings: SettingsPart = {}) {
  const waiting: (() => void)[] = [];
  const clock = new StandingClock();
  const log = lineLog({ level: "error" });
  const service = defineService({
    contract,
    createManager: () => ({}),
    createHandlers: () => ({
      look: () => ({}),
      wait: async () => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        return {};
      },
    }),
  });
  const server = new RealtimeServer(service, {
    runtime: await detectRuntime({ log }),
    log,
    clock,
    settings: {
      ...settings,
      websocket: { port: 0, welcome: "off", ...settings.websocket },
      http: { port: 0 },
      storage: { path: "none" },
      shutdown: { drain_ms: 0 },
    },
  });
  await server.start();
  const url = () => `ws://127.0.0.1:${server.port}`;
  const http = () => `http://127.0.0.1:${server.httpPort}`;
  return {
    server,
    clock,
    /** Requests that wait. Take one out and call it. */
    waiting,
    url,
    http,
    /** How often a limit was reached. */
    async reached(limit: string): Promise<number> {
      // Without an address, so that no limit by address stands in the way.
      const answer = await server.app.request("http://127.0.0.1/metrics");
      if (answer.status !== 200) throw new Error(`Expected metrics, got ${answer.status}`);
      const line = new RegExp(
        `^websocket_limit_hits_total\\{server="limited",limit="${limit}"\\} (\\d+)$`,
        "m",
      );
      return Number(line.exec(await answer.text())?.[1] ?? 0);
    },
  };
}

/** A request from one of this machine's addresses. */
export async function ask(
  url: string,
  { from = "127.0.0.1", method = "GET", headers = {}, body = "" }: {
    readonly from?: string;
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string | Uint8Array;
  } = {},
): Promise<{ status: number; retryAfter: string | undefined; text: string }> {
  const outgoing = request(url, { method, headers, agent: false, localAddress: from });
  outgoing.end(body);
  const [response] = await once(outgoing, "response");
  let text = "";
  for await (const part of response.setEncoding("utf8")) text += part;
  return { status: response.statusCode, retryAfter: response.headers["retry-after"], text };
}

/** Whether the server still answers everybody. */
export async function isAlive({ http }: Limited): Promise<boolean> {
  return (await get(`${http()}/health`)).status === 200;
}
