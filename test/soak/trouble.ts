/**
 * Clients that nobody wants: they break off, send what is no frame, do not read.
 *
 * @module
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { WebSocket } from "ws";
import { FrameClient } from "../support/frame-client.ts";

const PATIENCE_MS = 10_000;

/** Frames that are refused; the connection may end over some of them. */
const BAD_FRAMES: readonly (string | Uint8Array)[] = [
  "",
  "no JSON",
  '{"type": "request"',
  "[]",
  "null",
  '{"type": "request", "id": 7, "event": ["x"], "data": "y"}',
  '{"type": "request", "id": "a", "event": "no_such_request", "data": {}}',
  '{"type": "event", "event": "subscribe", "data": {"channel": 5}}',
  '{"type": "subscribe", "data": {"channel": "no-such-kind:1"}}',
  "[".repeat(5_000),
  Uint8Array.of(0xff, 0xfe, 0xfd),
  new Uint8Array(2_000_000),
];

/** What stands at the beginning of connections that are broken off. */
const BAD_BEGINNINGS: readonly string[] = [
  "",
  "\0\u0001\u0002",
  "GET /",
  "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX",
  "POST /api/requests/get_status HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{",
  "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n",
  "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nnot a frame",
];

/** Send a bad frame of each kind, and see that a good one is answered where the connection is still there. */
export async function badFrames(websocket: string, turn: number): Promise<void> {
  const client = await FrameClient.open(websocket);
  client.send(BAD_FRAMES[turn % BAD_FRAMES.length]!);
  const answered = client.request("get_status").then(({ type }) => type, () => "closed");
  const outcome = await Promise.race([answered, client.closed.then(() => "closed")]);
  if (outcome !== "response" && outcome !== "closed") {
    throw new Error(`Expected an answer or an end, got ${outcome}`);
  }
  client.ws.terminate();
}

/** Begin to speak and break off. */
export async function brokenBeginning(address: string, turn: number): Promise<void> {
  const { hostname, port } = new URL(address);
  const socket: Socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(BAD_BEGINNINGS[turn % BAD_BEGINNINGS.length]!);
  await new Promise<void>((resolve) => setImmediate(resolve));
  if (turn % 2 === 0) socket.resetAndDestroy();
  else socket.destroy();
}

/** Ask and go, before there is an answer. */
export async function vanish(websocket: string): Promise<void> {
  const client = await FrameClient.open(websocket);
  for (let n = 0; n < 10; n++) client.send({ type: "request", id: `${n}`, event: "get_status", data: {} });
  client.send({ type: "subscribe", data: { channel: "global" } });
  client.ws.terminate();
}

/**
 * Subscribe to a session's channel and stop reading, while `publish` fills it, until the server has had enough.
 *
 * @returns how the server ended it.
 */
export async function slowReader(
  websocket: string,
  channel: string,
  publish: () => Promise<void>,
  isOver: () => boolean,
): Promise<number | "left"> {
  const client = await FrameClient.open(websocket);
  await client.request("subscribe", { channel });
  const { ws } = client;
  ws.pause();
  const stalled = (ws as WebSocket & { _socket?: Socket })._socket;
  stalled?.pause();
  // The kernel takes some megabytes for both before the server notices.
  for (let n = 0; n < 200 && !isOver(); n++) await publish();
  stalled?.resume();
  ws.resume();
  const timer = setTimeout(() => ws.terminate(), PATIENCE_MS);
  if (isOver()) ws.terminate();
  const { code } = await client.closed;
  clearTimeout(timer);
  return code === 4000 ? 4000 : code === 1006 ? 1006 : "left";
}
