/**
 * Upgrades that are taken, refused, malformed or abandoned. Part of `sockets.ts`.
 *
 * @module
 */
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { SocketServer } from "./socket-server-handle.ts";

export function handshakeTests(server: SocketServer): void {
  describe("a handshake", () => {
    it.each(["websocket", "WebSocket", "WEBSOCKET"])("with Upgrade: %s is taken", async (value) => {
      const peer = await server.raw();
      peer.request("/ws?greet=1", { Upgrade: value });
      expect(await peer.until("hello")).toMatch(/^HTTP\/1\.1 101 /);
      peer.reset();
    });

    it.each(["a", "a,b", "a, b"])("that offers the subprotocols %s gets the first", async (offer) => {
      const peer = await server.raw();
      peer.request("/ws?greet=1", { "Sec-WebSocket-Protocol": offer });
      expect(await peer.until("hello")).toMatch(/sec-websocket-protocol: a\r\n/i);
      peer.reset();
    });

    it("without a subprotocol gets none", async () => {
      const peer = await server.raw();
      peer.request("/ws?greet=1");
      expect(await peer.until("hello")).not.toMatch(/sec-websocket-protocol/i);
      peer.reset();
    });

    it("that a middleware refuses at once is answered with 401, and its headers", async () => {
      const peer = await server.raw();
      peer.request("/refused/now");
      const answer = await peer.until("not you");
      expect(answer).toMatch(/^HTTP\/1\.1 401 /);
      expect(answer).toMatch(/www-authenticate: bearer/i);
      peer.reset();
    });

    it("that a middleware refuses later is answered with 403", async () => {
      const peer = await server.raw();
      peer.request("/refused/later");
      expect(await peer.until("never")).toMatch(/^HTTP\/1\.1 403 /);
      peer.reset();
    });

    it("to a route that throws is answered with 500, and one to no route with 404", async () => {
      for (const [path, status] of [["/broken", 500], ["/nowhere", 404]] as const) {
        const ws = new WebSocket(server.url(path), server.trust);
        const [, response] = await once(ws.on("error", () => {}), "unexpected-response");
        expect(response.statusCode).toBe(status);
        ws.terminate();
      }
    });

    it("that a middleware delays is taken", async () => {
      const client = await server.open("/later");
      expect(await client.ask("echo in the end")).toBe("echo in the end");
      await client.close();
    });

    it.runIf(server.way.early)("is taken with what the client has sent before its answer", async () => {
      for (const path of ["/ws", "/later"]) {
        const peer = await server.raw();
        peer.request(path);
        peer.frame(1, "echo early");
        await peer.until("echo early");
        peer.reset();
      }
    });

    it("is asked for with 426 where a plain request comes", async () => {
      expect((await server.get("/ws")).status).toBe(426);
    });

    it.each([
      ["a key that is none", "/ws", { "Sec-WebSocket-Key": "short" }],
      ["no key", "/ws", { "Sec-WebSocket-Key": undefined }],
      ["a wrong version", "/ws", { "Sec-WebSocket-Version": "7" }],
      ["no version", "/ws", { "Sec-WebSocket-Version": undefined }],
      ["a subprotocol that is no token", "/ws", { "Sec-WebSocket-Protocol": ",,;" }],
      ["the target //", "//", {}],
      ["the target http://[", "http://[", {}],
      ["the target /ws with a host that is none", "/ws", { Host: "[" }],
      ["the target *", "*", {}],
      ["an upgrade to something else", "/ws", { Upgrade: "h2c" }],
      ["the method POST", "/ws", {}, "POST"],
    ])(
      "with %s ends without a socket, and the process lives",
      async (_what, target, headers, method = "GET") => {
        const peer = await server.raw();
        peer.request(target, headers, method);
        const answer = await Promise.race([peer.end(), peer.until("\r\n\r\n").catch(() => peer.text)]);
        if (headers["Sec-WebSocket-Protocol" as never] === undefined) {
          expect(answer).not.toMatch(/^HTTP\/1\.1 101/);
        }
        peer.reset();
        await server.lives();
      },
    );

    it("that is reset while a middleware waits does no harm", async () => {
      for (let i = 0; i < 20; i++) {
        const peer = await server.raw();
        peer.request("/later");
        peer.reset();
      }
      const peer = await server.raw();
      peer.request("/later?greet=1");
      await peer.until("hello");
      peer.reset();
      await server.lives();
    });
  });
}
