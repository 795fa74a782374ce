/**
 * Socket.IO by WebSocket only, in its default state: what a client publishes goes to a room, and is acknowledged.
 *
 * @module
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { control } from "./control.ts";

const http = createServer();
const io = new Server(http, { transports: ["websocket"] });

io.on("connection", (socket) => {
  socket.on("join", (answer: () => void) => {
    socket.join("feed");
    answer();
  });
  socket.on("publish", (event: unknown, answer: () => void) => {
    io.to("feed").emit("sent", event);
    answer();
  });
});

http.listen(0, "127.0.0.1", () => control({ websocket: (http.address() as AddressInfo).port }));
