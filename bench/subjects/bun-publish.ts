/**
 * Bun's own server: subscribers are in a topic, and what a client publishes goes there by `server.publish`.
 *
 * @module
 */
import { control } from "./control.ts";

interface BunSocket {
  send(text: string): void;
  subscribe(topic: string): void;
}

declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    fetch(request: Request, server: { upgrade(request: Request): boolean }): Response | undefined;
    websocket: { idleTimeout: number; message(socket: BunSocket, data: string): void };
  }): { readonly port: number; publish(topic: string, text: string): number };
};

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, own) => own.upgrade(request) ? undefined : new Response(null, { status: 400 }),
  websocket: {
    idleTimeout: 0,
    message(socket, text) {
      if (text[0] !== "!") {
        socket.subscribe("feed");
        socket.send("joined");
        return;
      }
      server.publish("feed", text.slice(1));
      socket.send("done");
    },
  },
});

control({ websocket: server.port });
