/**
 * What an upgrade request looks like, for all runtimes. None of them checks all of it by itself.
 *
 * @module
 */
import type { Context } from "hono";

/** Sixteen bytes in Base64 (RFC 6455, section 4.2.1). */
const KEY = /^[+/0-9A-Za-z]{22}==$/;
const VERSIONS = ["8", "13"];

/** A request's method and headers, wherever they come from. */
export interface Handshake {
  readonly method: string;
  header(name: string): string | undefined;
}

/** Whether a header `Upgrade` is for a WebSocket. */
export function asksForWebSocket(upgrade: string | undefined): boolean {
  return upgrade?.toLowerCase() === "websocket";
}

/**
 * The answer to a request that no WebSocket can come of, or undefined where it is in order. The value of `Upgrade`
 * counts in any case.
 */
export function badHandshake({ method, header }: Handshake): Response | undefined {
  if (!asksForWebSocket(header("upgrade"))) {
    return refusal(426, "Expected a WebSocket upgrade request", {
      upgrade: "websocket",
      connection: "upgrade",
    });
  }
  if (method !== "GET") return refusal(400, "Expected the method GET");
  if (!/(?:^|,)\s*upgrade\s*(?:,|$)/i.test(header("connection") ?? "")) {
    return refusal(400, "Expected Connection: Upgrade beside Upgrade: websocket");
  }
  if (!KEY.test(header("sec-websocket-key") ?? "")) {
    return refusal(400, "Expected 16 bytes in Base64 as Sec-WebSocket-Key");
  }
  if (!VERSIONS.includes(header("sec-websocket-version") ?? "")) {
    return refusal(426, "Expected 13 as Sec-WebSocket-Version", { "sec-websocket-version": "13" });
  }
}

/** The same of a request that has reached the app. */
export function badUpgrade({ req }: Context): Response | undefined {
  return badHandshake({ method: req.method, header: (name) => req.header(name) });
}

export function refusal(status: number, sentence: string, headers: Record<string, string> = {}): Response {
  return new Response(sentence, { status, headers });
}

/** The first subprotocol that the client offers, or undefined. Works for `a,b` as for `a, b`. */
export function firstSubprotocol(context: Context): string | undefined {
  return context.req.header("sec-websocket-protocol")?.split(",")[0]?.trim() || undefined;
}
