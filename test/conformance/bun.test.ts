import { socketSuite } from "./sockets.ts";

socketSuite({
  name: "Bun",
  runtime: "bun",
  terminates: true,
  pauses: true,
  pings: true,
  early: false,
});
