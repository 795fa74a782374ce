/**
 * Closing a connection whose client still sends: one that is closed with bytes unread is reset by the system, and the
 * client loses the answer that it was sent.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";

/** How long what still comes is read and thrown away. */
const LINGER_MS = 5_000;

/**
 * A `destroySoon` that lets a connection's last answer reach the client: what `node:http` calls after that answer. One
 * function for all connections of a port.
 *
 * @param current The request of a connection that is being answered, if any.
 */
export function lingeringEnd(current: (socket: Socket) => IncomingMessage | null): Socket["destroySoon"] {
  return function destroySoon(this: Socket): void {
    const end = () => Socket.prototype.destroySoon.call(this);
    const request = current(this);
    if (request === null || request.complete) return end();
    this.destroySoon = nothing;
    const timer = setTimeout(() => this.destroy(), LINGER_MS);
    this.once("close", () => clearTimeout(timer));
    // Some clients take the end before they have sent all as a failure.
    request.once("end", end);
    // Whoever has begun to read the body and stopped would pause it again.
    request.removeAllListeners("data");
    request.resume();
  };
}

function nothing(): void {}
