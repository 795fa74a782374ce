import { socketSuite } from "./sockets.ts";

socketSuite({
  name: "Node, by TLS",
  runtime: "node",
  tls: true,
  terminates: true,
  pauses: true,
  pings: true,
  early: true,
});
