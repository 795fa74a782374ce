/**
 * Waiting where the clock cannot be moved.
 *
 * @module
 */
import { once } from "node:events";
import { WebSocket } from "ws";

/** On a busy machine. */
const PATIENCE_MS = 20_000;
const LOOK_MS = 1;

/** Until something is so; returns also where it has not become so for a very long time. */
export async function untilSo(until: () => boolean): Promise<void> {
  for (const late = performance.now() + PATIENCE_MS; !until() && performance.now() < late;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** As long as the server takes to answer somebody new. */
export async function roundTrip(url: string): Promise<void> {
  const ws = new WebSocket(url);
  await once(ws, "open");
  ws.send(JSON.stringify({ type: "request", id: "round", event: "ping", data: {} }));
  await once(ws, "message");
  ws.terminate();
}
