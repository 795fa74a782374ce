/**
 * The connections of a `node:http` server, from their beginning to their end, whatever they are used for.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { Admission } from "../ports/port-limits.ts";
import type { NodeServer } from "./node-server.ts";

const EVERYBODY: Admission = { enter: () => true, leave() {} };

/** Connections with the addresses that they came with. There are very many: they share one listener for their end. */
class OpenConnections extends Map<Socket, string | null> {
  readonly #admission: Admission;
  readonly #onClose: (this: Socket) => void;

  constructor(admission: Admission) {
    super();
    this.#admission = admission;
    const ended = (socket: Socket) => this.#ended(socket);
    this.#onClose = function onClose() {
      ended(this);
    };
  }

  /** Take one in, or cut it. */
  begin(socket: Socket): void {
    // One that HTTP was given up for comes again.
    if (this.has(socket)) return;
    const address = socket.remoteAddress ?? null;
    if (!this.#admission.enter(address)) return void socket.destroy();
    this.set(socket, address);
    socket.on("close", this.#onClose);
  }

  #ended(socket: Socket): void {
    const address = this.get(socket) ?? null;
    this.delete(socket);
    this.#admission.leave(address);
  }
}

/**
 * Ask for each connection of a server, before its TLS handshake where there is one.
 *
 * @returns those that are open, after their handshake.
 */
export function followConnections(
  { server, opened }: NodeServer,
  admission: Admission = EVERYBODY,
): { keys(): Iterable<Socket> } {
  const all = new OpenConnections(admission);
  server.on("connection", (socket: Socket) => all.begin(socket));
  if (opened === "connection") return all;
  const secured = new OpenConnections(EVERYBODY);
  server.on(opened, (socket: Socket) => secured.begin(socket));
  return secured;
}
