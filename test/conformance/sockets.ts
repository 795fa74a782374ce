/**
 * What every runtime promises about sockets, said once and run against a real process on each of them.
 *
 * @module
 */
import { afterAll, beforeAll, describe } from "vitest";
import { hasRuntime } from "../support/start-program.ts";
import { closingTest } from "./closing.ts";
import { endingTests } from "./endings.ts";
import { handshakeTests } from "./handshakes.ts";
import { messageTests } from "./messages.ts";
import { portTests } from "./ports.ts";
import { SocketServer, type Way } from "./socket-server-handle.ts";

export function socketSuite(way: Way): void {
  describe.runIf(hasRuntime(way.runtime))(`sockets on ${way.name}`, { timeout: 30_000 }, () => {
    const server = new SocketServer(way);
    beforeAll(() => server.start(), 40_000);
    afterAll(async () => {
      await server.program?.stop();
    }, 20_000);

    portTests(server);
    handshakeTests(server);
    messageTests(server);
    endingTests(server);
    closingTest(server);
  });
}
