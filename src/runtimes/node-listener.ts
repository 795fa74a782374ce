/**
 * A port served by @hono/node-server, from opening to closing.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Log } from "../ports/log.ts";
import type { Listener, ListenOptions } from "../ports/runtime.ts";
import { DEFAULT_PORT_LIMITS } from "../ports/port-limits.ts";
import { checkPort, hostAndPort, listenError, MAX_MESSAGE_BYTES } from "./listening.ts";
import { heldBy } from "./node-answers.ts";
import { followConnections } from "./node-connections.ts";
import { endFaulty } from "./node-faults.ts";
import { createNodeServer, type NodeServer } from "./node-server.ts";
import { NodeTurns } from "./node-turns.ts";
import { upgradesOf } from "./node-upgrade-source.ts";
import type { NodeUpgrades } from "./node-upgrades.ts";
import { asksForWebSocket } from "./upgrade-request.ts";

/** How often a draining server looks for connections that have become idle. */
const IDLE_CHECK_MS = 50;

/**
 * Connections that may wait to be accepted; systems lower it to a bound of their own. After a cut all clients come back
 * at once, and those that find no place are reset, or try again only seconds later.
 */
const BACKLOG = 4_096;

/** See `Runtime.listen`. */
export async function listenByNode(
  options: ListenOptions,
  upgrades: NodeUpgrades,
  log: Log,
): Promise<Listener> {
  const { app, host, port, maxMessageBytes = MAX_MESSAGE_BYTES, tls } = options;
  const limits = { ...DEFAULT_PORT_LIMITS, ...options.limits };
  checkPort(host, port);
  const answer = getRequestListener(
    async (request, env) => heldBy(env.outgoing as ServerResponse, await app.fetch(request, env)),
    // The process's own Request and Response stay what they are.
    { overrideGlobalObjects: false },
  );
  const turns = new NodeTurns(answer, log);
  const serverOptions = { ...(tls ? { tls } : {}), log, limits, shouldUpgrade: isUpgrade };
  let made: NodeServer;
  try {
    made = createNodeServer(serverOptions, (incoming, outgoing) => {
      takeHostInAnyForm(incoming);
      turns.take(incoming, outgoing);
    });
  } catch (cause) {
    throw listenError(host, port, cause);
  }
  const { server } = made;
  const connections = followConnections(made, limits.admission);
  endFaulty(server, turns, limits.reached);
  upgrades.attach(upgradesOf(made, turns, log), app, { maxMessageBytes, ...limits });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(listenError(host, port, cause)));
    server.listen({ host, port, backlog: BACKLOG }, resolve);
  });
  const real = (server.address() as AddressInfo).port;
  server.removeAllListeners("error");
  server.on(
    "error",
    (error) => log.error("A listening port failed", { address: hostAndPort(host, real), error }),
  );
  const { renewTls } = made;
  return {
    host,
    port: real,
    ...(renewTls ? { renewTls } : {}),
    close: (graceMs) => closeServer(made, connections, graceMs),
  };
}

/** node-server refuses names in upper case and addresses in a longer form, where a port follows. */
function takeHostInAnyForm({ headers }: IncomingMessage): void {
  const { host = "" } = headers;
  // Whatever else a URL parser forgives stays as it is.
  if (/^[a-z0-9.:-]*$/.test(host) || !/^[\w.:[\]-]+$/.test(host) || !URL.canParse(`http://${host}`)) return;
  headers.host = new URL(`http://${host}`).host;
}

function isUpgrade({ headers }: IncomingMessage): boolean {
  return asksForWebSocket(headers.upgrade);
}

function closeServer(
  { server, cutHandshakes }: NodeServer,
  connections: { keys(): Iterable<Socket> },
  graceMs: number,
): Promise<void> {
  if (!server.listening) return Promise.resolve();
  const closeIdle = () => {
    server.closeIdleConnections();
    // To Node a connection that has not asked for anything yet is not idle. A browser opens some in advance.
    for (const connection of connections.keys()) if (connection.bytesRead === 0) connection.destroy();
  };
  return new Promise((resolve) => {
    const idle = setInterval(closeIdle, IDLE_CHECK_MS);
    const cut = setTimeout(() => {
      server.closeAllConnections();
      // Those that were upgraded are none to Node.
      for (const connection of connections.keys()) connection.destroy();
    }, graceMs);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(cut);
      resolve();
    });
    cutHandshakes();
    closeIdle();
  });
}
