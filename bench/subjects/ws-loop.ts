/**
 * A bare server of the `ws` package: what a client publishes goes to everybody else by `send` in a loop, and is answered
 * with one word. What is asked is parsed, written again and sent back.
 *
 * @module
 */
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { control } from "./control.ts";

const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
const publishers = new Set<WebSocket>();

server.on("connection", (socket) => {
  socket.on("error", () => socket.terminate());
  socket.on("message", (data) => {
    const text = data.toString();
    const first = text[0];
    if (first === "!") publish(socket, text.slice(1));
    else if (first === "{") socket.send(JSON.stringify(JSON.parse(text)));
    else socket.send("joined");
  });
});

function publish(publisher: WebSocket, event: string): void {
  publishers.add(publisher);
  for (const client of server.clients) {
    if (client.readyState === client.OPEN && !publishers.has(client)) client.send(event);
  }
  publisher.send("done");
}

server.on("listening", () => control({ websocket: (server.address() as AddressInfo).port }));
