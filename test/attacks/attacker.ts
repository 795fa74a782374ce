/**
 * Somebody who speaks to the services from an address of their own, with whatever headers they like.
 *
 * @module
 */
import { type IncomingHttpHeaders, request } from "node:http";
import type { ClientOptions } from "ws";
import { FrameClient } from "../support/frame-client.ts";
import type { Service } from "./target.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed where it is JSON, text otherwise. */
  // deno-lint-ignore no-explicit-any
  readonly body: any;
}

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Sent as JSON, unless it is text or bytes. */
  readonly body?: unknown;
}

/** How long any answer may take, on a busy machine under attack. */
const PATIENCE_MS = 30_000;

export class Attacker {
  readonly address: string;
  readonly token: string | null;

  /** @param address One of this machine, 127.x.y.z. */
  constructor(address: string, token: string | null = null) {
    this.address = address;
    this.token = token;
  }

  get headers(): Record<string, string> {
    return this.token === null ? {} : { authorization: `Bearer ${this.token}` };
  }

  async http(url: string, { method = "GET", headers = {}, body }: Sent = {}): Promise<Answer> {
    const isPlain = body === undefined || typeof body === "string" || body instanceof Uint8Array;
    const bytes = isPlain ? body : JSON.stringify(body);
    return await new Promise((resolve, reject) => {
      const outgoing = request(url, {
        method,
        agent: false,
        localAddress: this.address,
        headers: {
          ...this.headers,
          ...(bytes === undefined
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(bytes) }),
          ...headers,
        },
        signal: AbortSignal.timeout(PATIENCE_MS),
      }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => void (text += part));
        response.on("error", reject);
        response.on("end", () => {
          const isJson = response.headers["content-type"]?.startsWith("application/json") === true;
          const status = response.statusCode ?? 0;
          resolve({ status, headers: response.headers, body: isJson ? JSON.parse(text) : text });
        });
      });
      outgoing.on("error", reject);
      outgoing.end(bytes);
    });
  }

  /** POST to a request's address. */
  ask(service: Service, name: string, data: unknown = {}): Promise<Answer> {
    return this.http(`${service.http}/api/requests/${name}`, { method: "POST", body: data });
  }

  /** Call an MCP tool, without a session. */
  tool(service: Service, name: string, data: unknown = {}): Promise<Answer> {
    return this.rpc(service, "tools/call", { name, arguments: data });
  }

  rpc(service: Service, method: string, params: object = {}): Promise<Answer> {
    const body = { jsonrpc: "2.0", id: 1, method, params };
    return this.http(`${service.http}/mcp`, { method: "POST", body, headers: { accept: "*/*" } });
  }

  connect(url: string, options: ClientOptions = {}): Promise<FrameClient> {
    return FrameClient.open(url, {
      localAddress: this.address,
      ...options,
      headers: { ...this.headers, ...options.headers },
    });
  }
}

/** How an MCP tool answered: the code of its refusal, `answered` otherwise. */
export function toolVerdict({ status, body }: Answer): string {
  if (status !== 200) return `${status} ${body?.error_code ?? body?.error?.message ?? body}`;
  const { result, error } = body;
  if (error) return `RPC ${error.code} ${error.message}`;
  return result.isError ? String(result.content?.[0]?.text).split(/[:\s]/)[0]! : "answered";
}

/** How a request by HTTP was answered. */
export function httpVerdict({ status, body }: Answer): string {
  return status < 300 ? "answered" : body?.error_code ?? String(status);
}

/** Run `work` for each of `items`, so many at a time. */
export async function each<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>) {
  const waiting = items.values();
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (const item of waiting) await work(item);
  }));
}
