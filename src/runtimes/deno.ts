/**
 * Deno. There are two ways to a socket, with different guarantees:
 *
 * | | `"node"`: node-server and node-ws | `"native"`: Deno's own socket |
 * |---|---|---|
 * | where | ports opened by `listen` (default) | apps in somebody's own `Deno.serve`; `listen` on request |
 * | frames of one `write` | one write | one write each |
 * | `terminate()` | ends the connection | reports the end at once and sends nothing more; a peer that has stopped reading keeps the socket and what was queued (bounded by the outbox) until it goes away |
 * | `pause()` | stops reading | nothing |
 * | a message over the limit | refused by its header, 1009 | read as a whole (64 MiB at most), then 1009 |
 * | `ping()` | sends one, `alive()` tells | false: Deno pings by itself and closes a peer that does not answer |
 *
 * @module
 */
import { lineLog, type Log, LogSwitch } from "../ports/log.ts";
import type { Runtime } from "../ports/runtime.ts";
import { listenByDeno, upgradeByDeno } from "./deno-native.ts";
import { MAX_MESSAGE_BYTES } from "./listening.ts";
import type { NodeUpgrades } from "./node-upgrades.ts";
import { system } from "./system.ts";
import { badUpgrade } from "./upgrade-request.ts";

declare const Deno: { readonly version: { readonly deno: string } };

export interface DenoRuntimeOptions {
  /** What the ports that `listen` opens are served by. @default "node" */
  readonly sockets?: "node" | "native";
  /** Largest inbound message in bytes for apps in somebody's own `Deno.serve`. @default 1_048_576 */
  readonly maxMessageBytes?: number;
  /** Where a reader's faults are reported. Default: lines on standard error. */
  readonly log?: Log;
}

export interface DenoRuntime extends Runtime {
  readonly name: "deno";
}

/** The runtime for Deno. In an own `Deno.serve(app.fetch)` nothing else is needed: `upgrade` sees which way it came. */
export function denoRuntime(options: DenoRuntimeOptions = {}): DenoRuntime {
  const { sockets = "node", maxMessageBytes = MAX_MESSAGE_BYTES } = options;
  const log = new LogSwitch(options.log ?? lineLog());
  let upgrades: NodeUpgrades | undefined;
  return {
    name: "deno",
    version: Deno.version.deno,
    ...system,
    logTo: (to) => log.turn(to),
    async listen(listenOptions) {
      if (sockets === "native") return listenByDeno(listenOptions, log);
      // Loaded here, so that a native server does not carry them.
      const [{ NodeUpgrades }, { listenByNode }] = await Promise.all([
        import("./node-upgrades.ts"),
        import("./node-listener.ts"),
      ]);
      upgrades ??= new NodeUpgrades(log);
      return listenByNode(listenOptions, upgrades, log);
    },
    upgrade(context, accept) {
      const bad = badUpgrade(context);
      if (bad) return bad;
      return upgrades && context.env?.incoming
        ? upgrades.upgrade(context, accept)
        : upgradeByDeno(context, accept, { maxMessageBytes, log });
    },
    remoteAddress: ({ env }) => env?.incoming?.socket?.remoteAddress ?? env?.remoteAddr?.hostname ?? null,
  };
}
