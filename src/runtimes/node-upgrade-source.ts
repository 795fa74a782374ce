/**
 * The upgrade requests of a `node:http` server that are for a WebSocket. All others are plain requests: a server may
 * ignore the header `Upgrade` (RFC 9110, section 7.8), which `curl --http2` sends to everybody.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Log } from "../ports/log.ts";
import type { NodeServer } from "./node-server.ts";
import type { NodeTurns } from "./node-turns.ts";
import type { UpgradeSource } from "./node-upgrades.ts";
import { asksForWebSocket } from "./upgrade-request.ts";

export function upgradesOf({ server, opened }: NodeServer, turns: NodeTurns, log: Log): UpgradeSource {
  return {
    on(_event, listener) {
      server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
        if (turns.current(socket)) {
          // The answer would land between the frames.
          log.debug("An upgrade request came before the answer to an earlier one: its connection is closed");
          socket.destroy();
        } else if (asksForWebSocket(request.headers.upgrade)) listener(request, socket, head);
        else {
          // HTTP was given up for this connection: it begins anew with the same request, without that header.
          socket.unshift(Buffer.concat([headWithoutUpgrade(request), head]));
          server.emit(opened, socket);
        }
      });
    },
  };
}

function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.toLowerCase() !== "upgrade") lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  }
  return Buffer.from([...lines, "", ""].join("\r\n"), "latin1");
}
