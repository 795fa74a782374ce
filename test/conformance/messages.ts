/**
 * Messages in both directions, and what a reader does wrong with them. Part of `sockets.ts`.
 *
 * @module
 */
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { MAX_MESSAGE_BYTES } from "./socket-server-handle.ts";
import type { SocketServer } from "./socket-server-handle.ts";

export function messageTests(server: SocketServer): void {
  describe("a fault of a reader", () => {
    it("that throws at once is logged and changes nothing", async () => {
      const client = await server.open();
      client.send("throw");
      expect(await client.ask("echo on")).toBe("echo on");
      await client.close();
      expect(server.program.stderr()).toContain("thrown at once");
    });

    it("that rejects later is logged and changes nothing", async () => {
      const client = await server.open();
      client.send("reject");
      expect(await client.ask("echo on")).toBe("echo on");
      await client.close();
      expect(server.program.stderr()).toContain("thrown later");
    });

    it("in accept closes the connection with 1011", async () => {
      const client = await server.open("/ws?accept=throw");
      expect((await client.closed).code).toBe(1011);
      await server.lives();
    });

    it("in closed is logged and changes nothing", async () => {
      const name = server.id();
      const client = await server.open(`/ws?id=${name}&closed=throw`);
      await client.close();
      await server.seen(`closed ${name} 1005`);
      await server.lives();
      expect(server.program.stderr()).toContain("thrown by closed");
    });
  });

  describe("a message", () => {
    it("in text arrives as a string", async () => {
      const client = await server.open();
      expect(await client.ask("echo grüße 🙂")).toBe("echo grüße 🙂");
      await client.close();
    });

    it("in binary arrives as bytes", async () => {
      const client = await server.open();
      client.send(Buffer.from([1, 2, 255]));
      expect(await client.next()).toBe("bytes Uint8Array 1,2,255");
      await client.close();
    });

    it("in fragments arrives whole, also with a ping between them", async () => {
      const peer = await server.raw();
      peer.request("/ws?greet=1");
      await peer.until("hello");
      peer.frame(1, "echo on", false);
      peer.frame(9, "in between");
      peer.frame(0, "ce again");
      await peer.until("echo once again");
      expect(peer.text).toContain("\x8a\x0ain between");
      peer.reset();
    });

    it("at the limit is taken, and one byte more ends the connection with 1009", async () => {
      const client = await server.open();
      const text = `echo ${"x".repeat(MAX_MESSAGE_BYTES - 5)}`;
      expect(await client.ask(text)).toBe(text);
      client.send(`${text}x`);
      expect((await client.closed).code).toBe(1009);
      await server.lives();
    });

    it("has the limit of its own port", async () => {
      const client = await server.open("/ws", server.ready.second);
      client.send(`echo ${"x".repeat(2_000)}`);
      expect((await client.closed).code).toBe(1009);
      await server.lives();
    });

    it("that breaks the protocol ends its connection only", async () => {
      const name = server.id();
      const peer = await server.raw();
      peer.request(`/ws?id=${name}&greet=1`);
      await peer.until("hello");
      peer.net.write(Buffer.from([0xf3, 0x80, 1, 2, 3, 4]));
      await peer.end();
      await server.seen(`closed ${name}`);
      await server.lives();
    });
  });

  describe("write", () => {
    it("sends frames in order", async () => {
      const client = await server.open();
      expect(await client.ask("three")).toBe("one");
      expect([await client.next(), await client.next()]).toEqual(["two", "three"]);
      await client.close();
    });

    it("frames every length", async () => {
      const client = await server.open();
      const sizes = [(await client.ask("sizes")).length];
      while (sizes.length < 6) sizes.push(Buffer.byteLength(await client.next()));
      expect(sizes).toEqual([0, 124, 126, 65_534, 65_536, 200_000]);
      await client.close();
    });

    it("keeps the order of many, with control frames between them", async () => {
      const client = await server.open();
      client.ws.ping();
      client.send("many 3000");
      client.send("ping");
      for (let i = 0; i < 3_000; i++) expect(await client.next()).toBe(String(i));
      expect(await client.next()).toBe(`ping ${server.way.pings}`);
      await client.close();
    });

    it("gives the same frames to several sockets", async () => {
      const clients = await Promise.all([
        server.open(`/ws?id=${server.id()}`),
        server.open(`/ws?id=${server.id()}`),
      ]);
      clients[0]?.send("share 4");
      for (const client of clients) {
        for (let i = 0; i < 4; i++) expect(await client.next()).toBe(`shared ${i}`);
      }
      await Promise.all(clients.map((client) => client.close()));
    });

    it("after close does nothing", async () => {
      const name = server.id();
      const client = await server.open(`/ws?id=${name}`);
      client.send("close 4123 done");
      expect(await client.closed).toEqual({ code: 4123, reason: "done" });
      await server.seen(`closed ${name} 4123`);
      await server.lives();
    });
  });

  it.runIf(server.way.pings)("ping is answered, and alive tells", async () => {
    const name = server.id();
    const client = await server.open(`/ws?id=${name}`);
    const pinged = once(client.ws, "ping");
    expect(await client.ask("ping")).toBe("ping true");
    await pinged;
    await server.seen(`alive ${name}`);
    await client.close();
  });

  it.runIf(server.way.pings)("a ping of the client is answered, and alive tells", async () => {
    const name = server.id();
    const client = await server.open(`/ws?id=${name}`);
    const ponged = once(client.ws, "pong");
    client.ws.ping("are you there");
    expect(String((await ponged)[0])).toBe("are you there");
    await server.seen(`alive ${name}`);
    await client.close();
  });

  it.runIf(server.way.pauses)("pause stops reading, resume goes on", async () => {
    const name = server.id();
    const client = await server.open(`/ws?id=${name}`);
    const admin = await server.open();
    expect(await admin.ask(`pause ${name}`)).toBe("paused");
    let answered = false;
    client.send("echo late");
    const answer = client.next().then((text) => {
      answered = true;
      return text;
    });
    for (let i = 0; i < 20; i++) await admin.ask("echo round trip");
    expect(answered).toBe(false);
    admin.send(`resume ${name}`);
    expect(await answer).toBe("echo late");
    await client.close();
    await admin.close();
  });

  it.runIf(server.way.pauses)("terminate ends a connection that is paused", async () => {
    const name = server.id();
    const client = await server.open(`/ws?id=${name}`);
    const admin = await server.open();
    await admin.ask(`pause ${name}`);
    admin.send(`kill ${name}`);
    await server.seen(`closed ${name} 1006`);
    await client.closed;
    await admin.close();
  });
}
