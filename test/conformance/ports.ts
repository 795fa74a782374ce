/**
 * Ports: who asks, which app, what cannot be opened. Part of `sockets.ts`.
 *
 * @module
 */
import { expect, it } from "vitest";
import type { SocketServer } from "./socket-server-handle.ts";

export function portTests(server: SocketServer): void {
  it("tells its runtime's name and version", () => {
    expect(server.ready.name).toBe(server.way.runtime);
    expect(server.ready.version).toMatch(/^\d+\.\d+\.\d+/);
  });

  it("remoteAddress is the peer's, of a socket and of a request", async () => {
    const client = await server.open();
    expect(await client.ask("address")).toBe("address 127.0.0.1");
    await client.close();
    expect((await server.get("/address")).body).toBe("127.0.0.1");
  });

  it("two ports of one runtime each have their own app", async () => {
    expect((await server.get("/")).body).toBe("plain");
    expect((await server.get("/", server.ready.second)).body).toBe("other");
  });

  it("tells an app the scheme that it is asked by", async () => {
    expect((await server.get("/scheme")).body).toBe(server.way.tls ? "https:" : "http:");
  });

  it("listen names what is wrong with a port or a host", () => {
    const { inUse, outOfRange, foreign, unknown } = server.ready.failures;
    expect(inUse).toBe(
      `ListenError: Cannot listen on 127.0.0.1:${server.ready.port}: another program uses this port; stop it or choose another port`,
    );
    expect(outOfRange).toBe(
      "ListenError: Cannot listen on 127.0.0.1:70000: a port is a whole number from 0 to 65535",
    );
    expect(foreign).toContain(
      "ListenError: Cannot listen on 192.0.2.1:0: this machine has no such address",
    );
    expect(unknown).toMatch(
      /^ListenError: Cannot listen on no\.such\.host\.invalid:0: this (host|machine)/,
    );
  });
}
