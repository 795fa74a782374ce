import { socketSuite } from "./sockets.ts";

socketSuite({
  name: "Node",
  runtime: "node",
  terminates: true,
  pauses: true,
  pings: true,
  early: true,
});
