/**
 * Bun: `Bun.serve` with Hono's WebSocket helper of `hono/bun`. Frames of one `write` leave corked, in one system call
 * where they fit; `terminate()` and `pause()` are real.
 *
 * @module
 */
import type { Context } from "hono";
import { lineLog, type Log, LogSwitch } from "../ports/log.ts";
import type { Runtime } from "../ports/runtime.ts";
import { type BunServer, listenByBun } from "./bun-listener.ts";
import { bunHandlers, type BunWebSocketHandlers, upgradeByBun } from "./bun-sockets.ts";
import { MAX_MESSAGE_BYTES } from "./listening.ts";
import { system } from "./system.ts";
import { badUpgrade } from "./upgrade-request.ts";

declare const Bun: { readonly version: string };

export interface BunRuntimeOptions {
  /** Largest inbound message in bytes for apps in somebody's own `Bun.serve`. @default 1_048_576 */
  readonly maxMessageBytes?: number;
  /** Where a reader's faults are reported. Default: lines on standard error. */
  readonly log?: Log;
}

export interface BunRuntime extends Runtime {
  readonly name: "bun";
  /** What an own server needs: `Bun.serve({ fetch: app.fetch, websocket: runtime.websocket })`. */
  readonly websocket: BunWebSocketHandlers;
}

/** The runtime for Bun. */
export function bunRuntime(options: BunRuntimeOptions = {}): BunRuntime {
  const { maxMessageBytes = MAX_MESSAGE_BYTES } = options;
  const log = new LogSwitch(options.log ?? lineLog());
  return {
    name: "bun",
    version: Bun.version,
    ...system,
    logTo: (to) => log.turn(to),
    websocket: bunHandlers(maxMessageBytes),
    listen: (listenOptions) => Promise.resolve().then(() => listenByBun(listenOptions, log)),
    upgrade: (context, accept) => badUpgrade(context) ?? upgradeByBun(context, accept, log),
    remoteAddress: (context) => serverOf(context)?.requestIP?.(context.req.raw)?.address ?? null,
  };
}

/** Bun hands its server to `fetch`; some put it beside other things. */
function serverOf({ env }: Context): BunServer | undefined {
  return env?.server ?? env;
}
