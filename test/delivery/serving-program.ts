/**
 * A program for `process-world.ts`: serves the model's service with the database of its first argument, says on which
 * port, and stops when it is asked to.
 *
 * @module
 */
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { RealtimeServer } from "../../src/server/realtime-server.ts";
import { MODEL_SETTINGS, modelService } from "./model-service.ts";
import { silentLog } from "./silent-log.ts";

const [path = ""] = process.argv.slice(2);
const runtime = await detectRuntime({ log: silentLog });
const server = new RealtimeServer(modelService, {
  runtime,
  settings: { ...MODEL_SETTINGS, storage: { path } },
  log: silentLog,
});
await server.start();
runtime.onStopSignal(() => void server.stop().then(() => process.exit(0)));
console.log(JSON.stringify({ port: server.port }));
