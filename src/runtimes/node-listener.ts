/**
 * A port served by @hono/node-server, from opening to closing.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Log } from "../ports/log.ts";
import type { Listener, ListenOptions } from "../ports/runtime.ts";
import { checkPort, hostAndPort, listenError, MAX_MESSAGE_BYTES } from "./listening.ts";
import { heldBy } from "./node-answers.ts";
import { lingerAtEnd } from "./node-lingering.ts";
import { NodeTurns } from "./node-turns.ts";
import { upgradesOf } from "./node-upgrade-source.ts";
import type { NodeUpgrades } from "./node-upgrades.ts";
import { asksForWebSocket } from "./upgrade-request.ts";

/** How often a draining server looks for connections that have become idle. */
const IDLE_CHECK_MS = 50;

/** See `Runtime.listen`. */
export async function listenByNode(
  options: ListenOptions,
  upgrades: NodeUpgrades,
  log: Log,
): Promise<Listener> {
  const { app, host, port, maxMessageBytes = MAX_MESSAGE_BYTES } = options;
  checkPort(host, port);
  const answer = getRequestListener(
    async (request, env) => heldBy(env.outgoing as ServerResponse, await app.fetch(request, env)),
    // The process's own Request and Response stay what they are.
    { overrideGlobalObjects: false },
  );
  const turns = new NodeTurns(answer, log);
  // Deno and Node 24 ask this before they give up HTTP for a connection; for Node before it there is `upgradesOf`.
  const serverOptions = { shouldUpgradeCallback: isUpgrade } as object;
  const server = createServer(serverOptions, (incoming, outgoing) => turns.take(incoming, outgoing));
  const cutUpgraded = upgrades.attach(upgradesOf(server, turns, log), app, maxMessageBytes);
  const connections = new Set<Socket>();
  server.on("connection", (connection: Socket) => {
    if (connections.has(connection)) return;
    connections.add(connection);
    lingerAtEnd(connection, () => turns.current(connection));
    connection.once("close", () => connections.delete(connection));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(listenError(host, port, cause)));
    server.listen({ host, port }, resolve);
  });
  const real = (server.address() as AddressInfo).port;
  server.removeAllListeners("error");
  server.on(
    "error",
    (error) => log.error("A listening port failed", { address: hostAndPort(host, real), error }),
  );
  return { host, port: real, close: (graceMs) => closeServer(server, connections, graceMs, cutUpgraded) };
}

function isUpgrade({ headers }: IncomingMessage): boolean {
  return asksForWebSocket(headers.upgrade);
}

function closeServer(
  server: Server,
  connections: ReadonlySet<Socket>,
  graceMs: number,
  cutUpgraded: () => void,
): Promise<void> {
  if (!server.listening) return Promise.resolve();
  const closeIdle = () => {
    server.closeIdleConnections();
    // To Node a connection that has not asked for anything yet is not idle. A browser opens some in advance.
    for (const connection of connections) if (connection.bytesRead === 0) connection.destroy();
  };
  return new Promise((resolve) => {
    const idle = setInterval(closeIdle, IDLE_CHECK_MS);
    const cut = setTimeout(() => {
      server.closeAllConnections();
      cutUpgraded();
    }, graceMs);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(cut);
      resolve();
    });
    closeIdle();
  });
}
