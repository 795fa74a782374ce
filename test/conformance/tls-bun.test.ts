import { socketSuite } from "./sockets.ts";

socketSuite({
  name: "Bun, by TLS",
  runtime: "bun",
  tls: true,
  terminates: true,
  pauses: true,
  pings: true,
  early: false,
});
