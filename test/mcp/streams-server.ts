/**
 * A program for `streams.test.ts`: the notes service's `/mcp` with a tool that answers when it is told to, on the runtime
 * that it runs on. Its first line on standard output is `{"url": …}`.
 *
 * `POST /publish/CHANNEL` lets an event happen there, `POST /release` lets the calls of `hold` answer, and `GET /held`
 * tells what is held: watched channels, timers and calls.
 *
 * @module
 */
import { Hono } from "hono";
import { catalogOf } from "../../src/mcp/catalog.ts";
import type { Tool } from "../../src/mcp/tool.ts";
import { createMcpEndpoint } from "../../src/mcp/transport.ts";
import { Watches } from "../../src/mcp/watches.ts";
import { ANONYMOUS } from "../../src/ports/call.ts";
import { type Cancel, type Clock, systemClock } from "../../src/ports/clock.ts";
import { notesHost } from "./notes-service.ts";
import { serveApp } from "./serve-app.ts";

const timers = new Set<symbol>();
let watching = 0;
const held = new Set<() => void>();

function counted(start: (ended: () => void) => Cancel): Cancel {
  const timer = Symbol();
  timers.add(timer);
  const cancel = start(() => timers.delete(timer));
  return () => {
    timers.delete(timer);
    cancel();
  };
}

const clock: Clock = {
  ...systemClock,
  after: (delayMs, work) =>
    counted((ended) =>
      systemClock.after(delayMs, () => {
        ended();
        work();
      })
    ),
  every: (intervalMs, work) => counted(() => systemClock.every(intervalMs, work)),
};

class CountedWatches extends Watches {
  override watch(...args: Parameters<Watches["watch"]>): () => void {
    const stop = super.watch(...args);
    watching++;
    let stopped = false;
    return () => {
      if (!stopped) watching--;
      stopped = true;
      stop();
    };
  }
}

const notes = notesHost({ clock });
const live = notes.live!;
const watches = new CountedWatches();
live.broker.subscribe((event) => watches.deliver(event));

const hold: Tool = {
  listing: {
    name: "hold",
    description: "Answers when it is told to",
    inputSchema: { type: "object" },
    outputSchema: { type: "object" },
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  },
  call: (_, _caller, { signal, progress }) =>
    new Promise((resolve) => {
      const end = () => {
        held.delete(end);
        resolve({ content: [{ type: "text", text: "released" }], structuredContent: { released: true } });
      };
      held.add(end);
      signal.addEventListener("abort", end);
      void progress?.(1, 2, "holding");
    }),
};

const host = { ...notes, channels: () => live.access, clock, watches };
const catalog = catalogOf(host);
const tools = new Map([...catalog.tools, ["hold", hold]]);
const endpoint = createMcpEndpoint(host, { bodyBytes: 4_000_000 }, { ...catalog, tools });
const app = new Hono();
app.all("/mcp", (context) => endpoint.handle(context, ANONYMOUS));
app.post("/publish/:channel", (context) => {
  live.publish(context.req.param("channel"), "note.changed");
  return context.json({});
});
app.post("/release", (context) => {
  for (const end of held) end();
  return context.json({});
});
app.get("/held", (context) => context.json({ watching, timers: timers.size, calls: held.size }));

console.log(JSON.stringify({ url: await serveApp(app) }));
