import { socketSuite } from "./sockets.ts";

socketSuite({
  name: "Deno, by TLS",
  runtime: "deno",
  tls: true,
  terminates: true,
  pauses: true,
  pings: true,
  early: true,
});
