/**
 * Ports of the Node runtime, whose app is told what a client's connection does.
 */
import { Hono } from "hono";
import { afterEach, expect, it, vi } from "vitest";
import { lineLog } from "../../src/ports/log.ts";
import type { Listener } from "../../src/ports/runtime.ts";
import { nodeRuntime } from "../../src/runtimes/node.ts";
import { RawSocket } from "../support/raw-socket.ts";

const PATIENCE = { timeout: 20_000 };
/** More than the system keeps for a connection that is not read from. */
const LARGE_BYTES = 16_777_216;

let listener: Listener | undefined;
afterEach(async () => {
  await listener?.close(0);
  listener = undefined;
});

async function listen(app: Hono): Promise<number> {
  listener = await nodeRuntime({ log: lineLog() }).listen({ app, host: "127.0.0.1", port: 0 });
  return listener.port;
}

const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;

it("does not begin a request before the answer to the one before it is out", async () => {
  const begun: string[] = [];
  const app = new Hono();
  app.get("/large/:number", (context) => {
    begun.push(context.req.param("number"));
    return context.body(new Uint8Array(LARGE_BYTES));
  });
  app.get("/", (context) => context.text("small"));
  const port = await listen(app);
  const peer = await RawSocket.open(port);
  peer.net.pause();
  peer.net.write([0, 1, 2, 3].map((number) => request(`/large/${number}`)).join(""));
  await vi.waitFor(() => expect(begun).toEqual(["0"]), PATIENCE);
  for (let i = 0; i < 20; i++) expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("small");
  expect(begun).toEqual(["0"]);
  // Thrown away as it comes.
  peer.net.removeAllListeners("data");
  peer.net.resume();
  await vi.waitFor(() => expect(begun).toEqual(["0", "1", "2", "3"]), PATIENCE);
  peer.reset();
}, 60_000);

it("begins none of the requests that wait on a connection that is gone", async () => {
  const begun: string[] = [];
  let answer = () => {};
  const app = new Hono();
  app.get("/:name", async (context) => {
    begun.push(context.req.param("name"));
    await new Promise<void>((resolve) => answer = resolve);
    return context.text("late");
  });
  const peer = await RawSocket.open(await listen(app));
  peer.net.write(request("/first") + request("/second"));
  await vi.waitFor(() => expect(begun).toEqual(["first"]), PATIENCE);
  peer.reset();
  // Closing waits for the connection's end.
  await listener!.close(10_000);
  answer();
  await new Promise((resolve) => setImmediate(resolve));
  expect(begun).toEqual(["first"]);
}, 60_000);

it("cancels an answer's stream where the client went before there was one", async () => {
  let gone = false;
  let cancelled = false;
  const app = new Hono<{ Bindings: { outgoing: { once(event: "close", listener: () => void): void } } }>();
  app.get("/stream", async (context) => {
    await new Promise<void>((resolve) => context.env.outgoing.once("close", resolve));
    gone = true;
    const quiet = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
    return context.body(quiet, 200, { "Content-Type": "text/event-stream" });
  });
  app.get("/ready", (context) => context.text("ready"));
  const peer = await RawSocket.open(await listen(app as unknown as Hono));
  peer.net.write(request("/ready") + request("/stream"));
  await peer.until("ready");
  peer.reset();
  await vi.waitFor(() => expect([gone, cancelled]).toEqual([true, true]), PATIENCE);
}, 60_000);
