/**
 * A program for `tls.test.ts`: a port that speaks TLS on the runtime that it runs on. What it is to open comes in the
 * environment; its first line says where, or why it cannot.
 *
 * @module
 */
import { Hono } from "hono";
import { lineLog } from "../../src/ports/log.ts";
import { Frame } from "../../src/ports/socket.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";

const tls = JSON.parse(process.env.PORT_TLS ?? "{}");
const runtime = await detectRuntime({ log: lineLog() });
const app = new Hono();
app.get("/", (context) => context.text("served"));
app.post("/", (context) => context.text("too much", 413, { connection: "close" }));
app.get("/ws", (context) =>
  runtime.upgrade(context, (socket) => ({
    message: (data) => socket.write(new Frame(`echo ${data}`).alone),
    alive() {},
    closed() {},
  })));

try {
  const listener = await runtime.listen({ app, host: "127.0.0.1", port: 0, tls });
  console.log(JSON.stringify({ port: listener.port }));
  runtime.onStopSignal(() => {
    const started = performance.now();
    void listener.close(8_000).then(() => {
      console.log(`free after ${Math.round(performance.now() - started)}`);
      process.exit(0);
    });
  });
} catch (error) {
  console.log(JSON.stringify({ fault: `${(error as Error).name}: ${(error as Error).message}` }));
}
