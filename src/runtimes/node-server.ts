/**
 * A server of `node:http` or, where a port speaks TLS, of `node:https`.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import type { SecureContextOptions } from "node:tls";
import type { Log } from "../ports/log.ts";
import type { PortLimits } from "../ports/port-limits.ts";
import type { PortTls } from "../ports/runtime.ts";
import { TLS_1_2_SUITES } from "./listening.ts";

/** How long a TLS handshake may take. */
const HANDSHAKE_MS = 10_000;

/** How often connections are looked for that are over a time limit. */
const CHECK_MS = 500;

/** Without them Node would take a list of suites as one that leaves TLS 1.3 out. */
const TLS_1_3_SUITES = ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"];

export interface NodeServer {
  readonly server: Server;
  /** The event with which a connection comes that requests are read from. */
  readonly opened: "connection" | "secureConnection";
  /** End the connections whose TLS handshake is not done. */
  cutHandshakes(): void;
  /** See `Listener`. Absent where the port does not speak TLS. */
  renewTls?(tls: PortTls): void;
}

type Handle = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/** @throws where the certificate or the key is refused. */
export function createNodeServer(
  options: {
    readonly tls?: PortTls;
    readonly log: Log;
    readonly limits: PortLimits;
    shouldUpgrade(incoming: IncomingMessage): boolean;
  },
  handle: Handle,
): NodeServer {
  const { tls, log, limits, shouldUpgrade } = options;
  // Deno and Node 24 ask this before they give up HTTP for a connection; for Node before it there is `upgradesOf`.
  const common = {
    shouldUpgradeCallback: shouldUpgrade,
    maxHeaderSize: limits.headerBytes,
    connectionsCheckingInterval: CHECK_MS,
    headersTimeout: limits.headSeconds * 1_000,
    // Node wants it to be the longer one.
    requestTimeout: requestMs(limits),
    keepAliveTimeout: limits.idleSeconds * 1_000,
  } as object;
  if (!tls) return { server: createServer(common, handle), opened: "connection", cutHandshakes() {} };
  const server = createTlsServer({
    ...common,
    ...secureContext(tls),
    ALPNProtocols: ["http/1.1"],
    handshakeTimeout: HANDSHAKE_MS,
    ...(tls.clientAuthorities === undefined ? {} : { requestCert: true, rejectUnauthorized: true }),
  }, handle);
  const handshakes = new Map<string, Socket>();
  server.on("connection", (connection: Socket) => {
    const peer = peerOf(connection);
    handshakes.set(peer, connection);
    connection.once("close", () => {
      if (handshakes.get(peer) === connection) handshakes.delete(peer);
    });
  });
  server.on("secureConnection", (connection) => handshakes.delete(peerOf(connection)));
  // Whoever speaks plain HTTP here, or nothing at all, has failed by himself; the server has ended it.
  server.on("tlsClientError", ({ message }, { remoteAddress }) => {
    log.debug("A TLS handshake failed", { address: remoteAddress, said: message });
  });
  return {
    server,
    opened: "secureConnection",
    cutHandshakes() {
      for (const connection of handshakes.values()) connection.destroy();
    },
    renewTls: (renewed) => server.setSecureContext(secureContext(renewed)),
  };
}

function secureContext({ cert, key, clientAuthorities }: PortTls): SecureContextOptions {
  return {
    cert,
    key,
    minVersion: "TLSv1.2",
    ciphers: [...TLS_1_3_SUITES, ...TLS_1_2_SUITES].join(":"),
    honorCipherOrder: true,
    ...(clientAuthorities === undefined ? {} : { ca: clientAuthorities }),
  };
}

function requestMs({ headSeconds, requestSeconds }: PortLimits): number {
  return requestSeconds === 0 ? 0 : Math.max(headSeconds, requestSeconds) * 1_000;
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
