import { socketSuite } from "./sockets.ts";

socketSuite({
  name: "Deno, node-ws",
  runtime: "deno",
  terminates: true,
  pauses: true,
  pings: true,
  early: true,
});
