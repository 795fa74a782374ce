/**
 * A program for `sockets.ts`: a Hono app on the runtime that it runs on. Its first line on standard output is
 * a JSON object with its ports; each connection's end is a line `closed ID CODE REASON`.
 *
 * Text commands of `/ws`: see `COMMANDS`. The query's `id` names the connection.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { lineLog } from "../../src/ports/log.ts";
import type { Runtime } from "../../src/ports/runtime.ts";
import { type Accept, Frame, type Socket, type SocketReader } from "../../src/ports/socket.ts";
import { batchOf } from "../support/batch-of.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";

const MAX_MESSAGE_BYTES = 65_536;

const way = process.argv[2];
const runtime: Runtime = way === "native"
  ? (await import("../../src/runtimes/deno.ts")).denoRuntime({ sockets: "native" })
  : await detectRuntime({ log: lineLog() });

const sockets = new Map<string, Socket>();

const COMMANDS: Readonly<Record<string, (socket: Socket, argument: string) => unknown>> = {
  echo: (socket, text) => say(socket, `echo ${text}`),
  "throw": () => {
    throw new Error("thrown at once");
  },
  reject: async () => {
    await Promise.resolve();
    throw new Error("thrown later");
  },
  close: (socket, argument) => {
    const [code = "", ...reason] = argument.split(" ");
    socket.close(Number(code), reason.join(" "));
    say(socket, "written after close");
  },
  three: (socket) => socket.write(batchOf(["one", "two", "three"])),
  sizes: (socket) =>
    socket.write(batchOf([0, 125, 126, 65_535, 65_536, 200_000].map((size) => "é".repeat(size / 2)))),
  many: (socket, count) => {
    for (let i = 0; i < Number(count); i++) say(socket, String(i));
  },
  // Shared by reference, as outboxes share what they are to send.
  share: (_socket, count) => {
    const batch = batchOf(Array.from({ length: Number(count) }, (_, i) => `shared ${i}`));
    for (const socket of sockets.values()) socket.write(batch);
  },
  ping: (socket) => say(socket, `ping ${socket.ping()}`),
  address: (socket) => say(socket, `address ${socket.remoteAddress}`),
  terminate: (socket) => socket.terminate(),
  // About another connection, for one that has stopped reading.
  flood: (socket, argument) => {
    const [id = "", bytes = "0"] = argument.split(" ");
    sockets.get(id)?.write(new Frame("x".repeat(Number(bytes))).alone);
    say(socket, `buffered ${sockets.get(id)?.buffered()}`);
  },
  buffered: (socket, id) => say(socket, `buffered ${sockets.get(id)?.buffered()}`),
  kill: (_socket, id) => sockets.get(id)?.terminate(),
  pause: (socket, id) => {
    sockets.get(id)?.pause();
    say(socket, "paused");
  },
  resume: (_socket, id) => sockets.get(id)?.resume(),
  "flood-and-close": (socket, bytes) => {
    socket.write(new Frame("x".repeat(Number(bytes))).alone);
    socket.close(4321, "after the flood");
  },
};

function say(socket: Socket, text: string): void {
  socket.write(new Frame(text).alone);
}

function accepting(context: Context): Accept {
  const id = context.req.query("id") ?? "";
  return (socket): SocketReader => {
    if (context.req.query("accept") === "throw") throw new Error("thrown by accept");
    sockets.set(id, socket);
    if (context.req.query("greet")) say(socket, "hello");
    return {
      message(data) {
        if (typeof data !== "string") {
          return say(socket, `bytes ${data.constructor.name.replace("Buffer", "Uint8Array")} ${[...data]}`);
        }
        const [name = "", ...rest] = data.split(" ");
        return COMMANDS[name]?.(socket, rest.join(" "));
      },
      alive: () => console.log(`alive ${id}`),
      closed(code, reason) {
        sockets.delete(id);
        console.log(`closed ${id} ${code} ${reason}`);
        if (context.req.query("closed") === "throw") throw new Error("thrown by closed");
      },
    };
  };
}

const app = new Hono();
app.get("/", (context) => context.text("plain"));
app.get("/scheme", (context) => context.text(new URL(context.req.url).protocol));
app.get("/address", (context) => context.text(String(runtime.remoteAddress(context))));
app.get("/slow", async (context) => {
  await new Promise((resolve) => setTimeout(resolve, Number(context.req.query("ms"))));
  return context.text("slow");
});
app.use(
  "/refused/now",
  (context) => Promise.resolve(context.text("not you", 401, { "www-authenticate": "Bearer" })),
);
app.use("/refused/later", async (context) => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return context.text("never", 403);
});
app.use("/later", async (_context, next) => {
  await new Promise((resolve) => setTimeout(resolve, 50));
  await next();
});
app.get("/broken", () => {
  throw new Error("thrown by a route");
});
for (const path of ["/ws", "/later", "/refused/now", "/refused/later"]) {
  app.get(path, (context) => runtime.upgrade(context, accepting(context)));
}

const { SERVER_CERTIFICATE: cert, SERVER_KEY: key } = process.env;
const tls = cert && key ? { tls: { cert, key } } : {};
const listening = { app, host: "127.0.0.1", port: 0, maxMessageBytes: MAX_MESSAGE_BYTES, ...tls };
const listener = await runtime.listen(listening);
const other = new Hono();
other.get("/ws", (context) => runtime.upgrade(context, accepting(context)));
other.get("/", (context) => context.text("other"));
// A second port on the same runtime object, with its own app and its own limit.
const second = await runtime.listen({ ...listening, app: other, maxMessageBytes: 1_000 });

async function failure(port: number, host = "127.0.0.1"): Promise<string> {
  try {
    const opened = await runtime.listen({ app, host, port });
    await opened.close(0);
    return "opened";
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

const failures = {
  inUse: await failure(listener.port),
  outOfRange: await failure(70_000),
  foreign: await failure(0, "192.0.2.1"),
  unknown: await failure(0, "no.such.host.invalid"),
};
console.log(
  JSON.stringify({
    port: listener.port,
    second: second.port,
    name: runtime.name,
    version: runtime.version,
    failures,
  }),
);

runtime.onStopSignal((signal) => {
  const started = performance.now();
  void listener.close(2_000).then(async () => {
    console.log(`free ${signal} ${Math.round(performance.now() - started)} ${await failure(listener.port)}`);
    await second.close(0);
    process.exit(0);
  });
});
