/**
 * A port served by @hono/node-server, from opening to closing.
 *
 * @module
 */
import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { Log } from "../ports/log.ts";
import type { Listener, ListenOptions } from "../ports/runtime.ts";
import { checkPort, hostAndPort, listenError, MAX_MESSAGE_BYTES } from "./listening.ts";
import type { NodeUpgrades } from "./node-upgrades.ts";

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
  // Node 24 asks this before it gives up HTTP for a connection; older ones end a request for another upgrade (h2c).
  const serverOptions = { shouldUpgradeCallback: asksForWebSocket } as object;
  const server = createAdaptorServer({
    fetch: (request, env) => app.fetch(request, env),
    // The process's own Request and Response stay what they are.
    overrideGlobalObjects: false,
    serverOptions,
  }) as Server;
  const cutUpgraded = upgrades.attach(server, app, maxMessageBytes);
  const connections = new Set<Socket>();
  server.on("connection", (connection: Socket) => {
    connections.add(connection);
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

function asksForWebSocket(request: { headers: { upgrade?: string } }): boolean {
  return request.headers.upgrade?.toLowerCase() === "websocket";
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
