/**
 * A service of its own for tests of the server: things that are made and noted, and handlers that fail in every way.
 *
 * @module
 */
import * as v from "valibot";
import { lineLog } from "../../src/ports/log.ts";
import { defineContract } from "../../src/protocol/contract.ts";
import { Refusal } from "../../src/protocol/errors.ts";
import type { JsonObject } from "../../src/protocol/json.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { serverOf } from "../../src/server/broadcast-methods.ts";
import type { ServerOptions } from "../../src/server/realtime-server.ts";
import { defineService, type Manager, type ManagerContext } from "../../src/service/define-service.ts";
import type { SettingsPart } from "../../src/settings/schema.ts";

const empty = v.object({});
const thing = v.object({ thing_id: v.string() });

export const ownContract = defineContract({
  name: "own",
  ports: { http: 18_678, websocket: 18_688 },
  channels: { thing: { description: "One thing", id: "thing_id" } },
  events: {
    "thing.made": { description: "A thing was made", channels: ["thing", "global"], data: thing },
    "thing.noted": {
      description: "Somebody noted something",
      channels: ["thing"],
      publishable: "write",
      data: v.object({ thing_id: v.string(), note: v.string() }),
    },
  },
  requests: {
    make: {
      description: "Make a thing",
      access: "write",
      input: thing,
      output: v.object({ count: v.number() }),
    },
    look: {
      description: "How many there are",
      access: "read",
      input: empty,
      output: v.object({ count: v.number() }),
    },
    refuse: { description: "Refuse", access: "read", input: empty, output: empty },
    fail_now: { description: "Throw at once", access: "read", input: empty, output: empty },
    fail_later: { description: "Throw later", access: "read", input: empty, output: empty },
    fail_oddly: { description: "Throw what is no error", access: "read", input: empty, output: empty },
    huge: {
      description: "Answer too much",
      access: "read",
      input: empty,
      output: v.object({ text: v.string() }),
    },
  },
});

/** What the manager does where a test wants it to fail. */
export interface Wishes {
  readonly failingHooks?: boolean;
  readonly failingStart?: string;
}

export class OwnManager implements Manager {
  /** What the hooks were told, in order, as far as a test needs it. */
  readonly heard: string[] = [];
  readonly context: ManagerContext<typeof ownContract>;
  readonly #wishes: Wishes;
  /** What a hook sees of the server. */
  look: (connectionId: string) => string = () => "";
  count = 0;

  constructor(context: ManagerContext<typeof ownContract>, wishes: Wishes = {}) {
    this.context = context;
    this.#wishes = wishes;
  }

  onConnect(connectionId: string): void {
    this.heard.push(`connect ${this.look(connectionId)}`);
    if (this.#wishes.failingHooks) throw new Error("hook thrown at once");
  }

  async onDisconnect(connectionId: string): Promise<void> {
    this.heard.push(`disconnect ${this.look(connectionId)}`);
    await Promise.resolve();
    if (this.#wishes.failingHooks) throw new Error("hook thrown later");
  }

  onMessage(_connectionId: string, frame: { type: string; event: string | null; data: JsonObject }): void {
    this.heard.push(`message ${frame.type} ${frame.event}`);
  }

  getStatus(): JsonObject {
    return { count: this.count };
  }

  stop(): void {
    this.heard.push("stop");
  }
}

export function makeOwnService(wishes: Wishes = {}) {
  return defineService({
    contract: ownContract,
    createManager: (context) => {
      if (wishes.failingStart !== undefined) throw new Error(wishes.failingStart);
      return new OwnManager(context, wishes);
    },
    createHandlers: (manager) => ({
      make: ({ thing_id }, call) =>
        manager.context.commit((transaction) => {
          transaction.emit("thing.made", { thing_id });
          return { count: ++manager.count };
        }, call),
      look: () => ({ count: manager.count }),
      refuse: () => {
        throw new Refusal("CONFLICT", "The thing has moved on");
      },
      fail_now: () => {
        throw new Error("an inner secret, thrown at once");
      },
      fail_later: async () => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        throw new Error("an inner secret, thrown later");
      },
      fail_oddly: () => {
        throw "an inner secret, not even an error";
      },
      huge: () => ({ text: "x".repeat(2_000_000) }),
    }),
  });
}

/** Start one on free ports, without a database unless told. */
export async function startOwn(
  settings: SettingsPart = {},
  wishes: Wishes = {},
  options: Pick<ServerOptions, "createBroker" | "clock"> = {},
) {
  const lines: string[] = [];
  const log = lineLog({ level: "debug", write: (line) => lines.push(line) });
  const Server = serverOf(makeOwnService(wishes));
  const server = new Server({
    ...options,
    runtime: await detectRuntime({ log }),
    log,
    settings: {
      ...settings,
      websocket: { port: 0, welcome: "off", ...settings.websocket },
      http: { port: 0, ...settings.http },
      storage: { path: "none", ...settings.storage },
      shutdown: { drain_ms: 200, ...settings.shutdown },
    },
  });
  await server.start();
  return {
    server,
    log: lines,
    get url() {
      return `ws://127.0.0.1:${server.port}`;
    },
    get http() {
      return `http://127.0.0.1:${server.httpPort}`;
    },
  };
}

export type Own = Awaited<ReturnType<typeof startOwn>>;
