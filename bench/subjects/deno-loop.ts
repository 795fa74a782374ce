/**
 * Deno's own server and sockets: what a client publishes goes to everybody else by `send` in a loop.
 *
 * @module
 */
import { control } from "./control.ts";

declare const Deno: {
  serve(
    options: { hostname: string; port: number; onListen(): void },
    handler: (request: Request) => Response,
  ): { readonly addr: { readonly port: number } };
  upgradeWebSocket(request: Request): { socket: WebSocket; response: Response };
};

const subscribers = new Set<WebSocket>();

const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onclose = () => subscribers.delete(socket);
  socket.onerror = () => {};
  socket.onmessage = ({ data }: { data: string }) => {
    if (data[0] !== "!") {
      subscribers.add(socket);
      socket.send("joined");
      return;
    }
    const event = data.slice(1);
    for (const subscriber of subscribers) {
      if (subscriber.readyState === WebSocket.OPEN) subscriber.send(event);
    }
    socket.send("done");
  };
  return response;
});

control({ websocket: server.addr.port });
