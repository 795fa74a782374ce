/**
 * Closing a connection whose client still sends: one that is closed with bytes unread is reset by the system, and the
 * client loses the answer that it was sent.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

/** How long what still comes is read and thrown away. */
const LINGER_MS = 5_000;

/**
 * Let a connection's last answer reach the client.
 *
 * @param current The request that is being answered, if any.
 */
export function lingerAtEnd(socket: Socket, current: () => IncomingMessage | null): void {
  const destroySoon = socket.destroySoon.bind(socket);
  let lingers = false;
  // What `node:http` calls after the last answer of a connection.
  socket.destroySoon = () => {
    if (lingers) return;
    const request = current();
    if (request === null || request.complete) return destroySoon();
    lingers = true;
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => clearTimeout(timer));
    // Some clients take the end before they have sent all as a failure.
    request.once("end", destroySoon);
    // Whoever has begun to read the body and stopped would pause it again.
    request.removeAllListeners("data");
    request.resume();
  };
}
