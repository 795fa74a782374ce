/**
 * Refusing an upgrade request on a bare connection of a `node:http` server.
 *
 * @module
 */
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { badHandshake, refusal } from "./upgrade-request.ts";

/** A refusal's body is a sentence; a larger one, or one that comes later, is left out. */
const MAX_BODY_BYTES = 65_536;
const BODY_TIMEOUT_MS = 1_000;

/** The answer to a handshake that no WebSocket can come of, or undefined where it is in order. */
export function badNodeHandshake(request: IncomingMessage): Response | undefined {
  const { headers, method = "", url = "" } = request;
  const header = (name: string) => headers[name]?.toString();
  // The second is how node-ws parses it.
  const isPath = url.startsWith("/") && URL.canParse(url, "http://localhost");
  const isInOrder = isPath && isHost(headers.host) && isOnce(request, "host");
  return badHandshake({ method, header }) ??
    (isInOrder
      ? undefined
      : refusal(400, "Expected a path as the request's target and one host name as Host"));
}

/** Of two headers Node shows the first, and somebody on the way may have looked at the second. */
function isOnce({ rawHeaders }: IncomingMessage, name: string): boolean {
  return rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === name).length === 1;
}

/** Nothing but a name and a port: no user, no path. */
function isHost(host = ""): boolean {
  return /^[^\s/?#@\\]+$/.test(host) && URL.canParse(`http://${host}`);
}

/** Write a response and end the connection. Resolves when it is handed over; never rejects. */
export async function refuse(stream: Duplex, response: Response): Promise<void> {
  const body = await shortBody(response);
  if (stream.destroyed) return;
  const lines = [`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ""}`];
  for (const [name, value] of response.headers) {
    if (!HOP_BY_HOP.has(name)) lines.push(`${name}: ${value}`);
  }
  lines.push("connection: close", `content-length: ${body.byteLength}`, "", "");
  stream.write(lines.join("\r\n"), "latin1");
  stream.end(body, () => stream.destroy());
}

const HOP_BY_HOP = new Set(["connection", "content-length", "transfer-encoding", "keep-alive", "upgrade"]);

async function shortBody(response: Response): Promise<Uint8Array> {
  const nothing = new Uint8Array();
  if (!response.body) return nothing;
  const reader = response.body.getReader();
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), BODY_TIMEOUT_MS);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.byteLength;
      if (bytes > MAX_BODY_BYTES) {
        await reader.cancel();
        return nothing;
      }
      chunks.push(value);
    }
  } catch {
    return nothing;
  } finally {
    clearTimeout(timer);
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
