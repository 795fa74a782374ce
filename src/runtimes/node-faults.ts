/**
 * Requests of a `node:http` server that come too slowly, are too large or are none: one answer, and the end.
 *
 * @module
 */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { PortLimits } from "../ports/port-limits.ts";
import type { NodeTurns } from "./node-turns.ts";

const TIMEOUT = "ERR_HTTP_REQUEST_TIMEOUT";
const HEAD_TOO_LARGE = "HPE_HEADER_OVERFLOW";

const STATUS: Readonly<Record<string, string>> = {
  [TIMEOUT]: "408 Request Timeout",
  [HEAD_TOO_LARGE]: "431 Request Header Fields Too Large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "413 Payload Too Large",
};

/** As Node does where nobody listens, but counted. */
export function endFaulty(server: Server, turns: NodeTurns, reached: PortLimits["reached"]): void {
  server.on("clientError", (error: Error & { code?: string }, socket: Socket) => {
    const { code = "" } = error;
    if (code === HEAD_TOO_LARGE) reached?.("header_bytes");
    if (code === TIMEOUT) reached?.(turns.current(socket) ? "request_seconds" : "head_seconds");
    // Others are faults of the network or of TLS, and nobody is there to read.
    const isHttp = code === TIMEOUT || code.startsWith("HPE_");
    if (isHttp && socket.writable && !turns.isAnswering(socket)) {
      socket.write(`HTTP/1.1 ${STATUS[code] ?? "400 Bad Request"}\r\nConnection: close\r\n\r\n`);
    }
    socket.destroy();
  });
}
