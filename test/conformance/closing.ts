/**
 * Closing a port. Last in `sockets.ts`, since the program ends with it.
 *
 * @module
 */
import { expect, it } from "vitest";
import type { SocketServer } from "./socket-server-handle.ts";

export function closingTest(server: SocketServer): void {
  it("close lets a request finish, cuts what outlives the grace time, and frees the port", async () => {
    const agent = await server.raw();
    agent.request("/", { Upgrade: undefined, Connection: "keep-alive" });
    await agent.until("plain");
    const finishing = server.get("/slow?ms=300").then(({ body }) => body);
    const endless = server.get("/slow?ms=60000").then(({ body }) => body, () => "cut");
    const upgraded = await server.raw();
    upgraded.request("/ws?greet=1");
    await upgraded.until("hello");
    // Both requests have arrived when a later one has been answered.
    await server.get("/");
    const ended = server.program.stop();
    expect(await finishing).toBe("slow");
    expect(await endless).toBe("cut");
    expect(await ended).toBe(0);
    const [, signal, took, outcome] = (await server.seen("free ")).split(" ");
    expect([signal, outcome]).toEqual(["SIGTERM", "opened"]);
    expect(Number(took)).toBeLessThan(4_000);
    await upgraded.end();
    await agent.end();
  });
}
