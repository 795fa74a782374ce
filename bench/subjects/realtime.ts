/**
 * This project's server with a small service, on the runtime that runs it. Its argument, if any, is its database's file;
 * without one everything is kept in memory.
 *
 * @module
 */
import process from "node:process";
import { lineLog } from "../../src/ports/log.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { RealtimeServer } from "../../src/server/realtime-server.ts";
import { control } from "./control.ts";
import { benchService } from "./realtime-service.ts";

const [database = "none"] = process.argv.slice(2);
const server = new RealtimeServer(benchService, {
  runtime: await detectRuntime(),
  // A line for every connection would be measured too.
  log: lineLog({ level: "warn" }),
  settings: {
    http: { port: 0 },
    websocket: { port: 0, message_rate_limit: 0, max_connections: 0 },
    limits: { http_rate: 0, http_requests: 0 },
    storage: { path: database },
  },
});
await server.start();
control({ websocket: server.port, http: server.httpPort });
