import { socketSuite } from "./sockets.ts";

socketSuite({
  name: "Deno's own socket",
  runtime: "deno",
  args: ["native"],
  terminates: false,
  pauses: false,
  pings: false,
  early: false,
});
