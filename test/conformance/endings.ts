/**
 * How connections end, and peers that do not read. Part of `sockets.ts`.
 *
 * @module
 */
import { describe, expect, it } from "vitest";
import type { SocketServer } from "./socket-server-handle.ts";

export function endingTests(server: SocketServer): void {
  describe("an end", () => {
    it("by the server carries code and reason to the client", async () => {
      const client = await server.open();
      client.send("close 1013 come back later");
      expect(await client.closed).toEqual({ code: 1013, reason: "come back later" });
    });

    it("by the client carries code and reason to the server", async () => {
      const name = server.id();
      const client = await server.open(`/ws?id=${name}`);
      client.ws.close(4321, "enough");
      await server.seen(`closed ${name} 4321 enough`);
    });

    it("cuts a long reason at a character's end", async () => {
      const client = await server.open();
      client.send(`close 4000 ${"é".repeat(100)}`);
      expect(await client.closed).toEqual({ code: 4000, reason: "é".repeat(61) });
    });

    it("with a code that may not be sent becomes 1011", async () => {
      const client = await server.open();
      client.send("close 1006");
      expect((await client.closed).code).toBe(1011);
      await server.lives();
    });

    it("comes after all that was written before it", async () => {
      const client = await server.open();
      client.send("flood-and-close 8000000");
      expect((await client.next()).length).toBe(8_000_000);
      expect((await client.closed).code).toBe(4321);
    });

    it("of a peer that vanishes is 1006", async () => {
      const [cut, reset] = [server.id(), server.id()];
      const first = await server.open(`/ws?id=${cut}`);
      first.ws.terminate();
      await server.seen(`closed ${cut} 1006`);
      const second = await server.raw();
      second.request(`/ws?id=${reset}&greet=1`);
      await second.until("hello");
      second.reset();
      await server.seen(`closed ${reset} 1006`);
    });

    it("by terminate is 1006 on both sides, told once", async () => {
      const name = server.id();
      const client = await server.open(`/ws?id=${name}`);
      client.send("terminate");
      const { code } = await client.closed;
      if (server.way.terminates) expect(code).toBe(1006);
      await server.seen(`closed ${name} 1006`);
      await server.lives();
      expect(server.program.lines.filter((line) => line.startsWith(`closed ${name} `))).toHaveLength(1);
    });
  });

  describe("a peer that has stopped reading", () => {
    it("is seen in buffered, and ended by terminate", async () => {
      const name = server.id();
      const peer = await server.stalled(name);
      const admin = await server.open();
      expect(await server.fill(admin, name)).toBeGreaterThan(1_000_000);
      admin.send(`kill ${name}`);
      await server.seen(`closed ${name} 1006`);
      if (server.way.terminates) {
        peer.net.resume();
        await peer.end();
      } else peer.reset();
      await admin.close();
      await server.lives();
    });

    it("keeps nobody else waiting", async () => {
      const name = server.id();
      const peer = await server.stalled(name);
      const admin = await server.open();
      await server.fill(admin, name);
      await server.lives();
      peer.reset();
      await server.seen(`closed ${name} 1006`);
      await admin.close();
    });
  });
}
