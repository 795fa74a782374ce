/**
 * Node (20.19 and later): @hono/node-server and @hono/node-ws behind a guard.
 *
 * @module
 */
import process from "node:process";
import { lineLog, type Log, LogSwitch } from "../ports/log.ts";
import type { FetchApp, Runtime } from "../ports/runtime.ts";
import { MAX_MESSAGE_BYTES } from "./listening.ts";
import { listenByNode } from "./node-listener.ts";
import { DEFAULT_UPGRADE_LIMITS, NodeUpgrades, type UpgradeSource } from "./node-upgrades.ts";
import { system } from "./system.ts";
import { badUpgrade } from "./upgrade-request.ts";

export interface NodeRuntimeOptions {
  /** Where a reader's faults are reported. Default: lines on standard error. */
  readonly log?: Log;
}

export interface NodeRuntime extends Runtime {
  readonly name: "node";
  /**
   * Take the upgrade requests of a server that somebody has made himself, with `serve` of @hono/node-server, to an
   * app: then `upgrade` works in this app's routes. Once per server, before its first request.
   *
   * @param options.maxMessageBytes Largest inbound message. Default 1_048_576.
   */
  attach(server: UpgradeSource, app: FetchApp, options?: { readonly maxMessageBytes?: number }): void;
}

/** The runtime for Node. One object serves any number of ports. */
export function nodeRuntime(options: NodeRuntimeOptions = {}): NodeRuntime {
  const log = new LogSwitch(options.log ?? lineLog());
  const upgrades = new NodeUpgrades(log);
  return {
    name: "node",
    version: process.versions.node,
    ...system,
    logTo: (to) => log.turn(to),
    listen: (listenOptions) => listenByNode(listenOptions, upgrades, log),
    upgrade: (context, accept) => badUpgrade(context) ?? upgrades.upgrade(context, accept),
    remoteAddress: (context) => context.env?.incoming?.socket?.remoteAddress ?? null,
    attach(server, app, { maxMessageBytes = MAX_MESSAGE_BYTES } = {}) {
      upgrades.attach(server, app, { ...DEFAULT_UPGRADE_LIMITS, maxMessageBytes });
    },
  };
}
