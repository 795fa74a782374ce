/**
 * Requests over HTTP, each on a connection of its own, answered with status and JSON.
 *
 * @module
 */
import { type IncomingHttpHeaders, request } from "node:http";
import { request as requestByTls } from "node:https";

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed where it is JSON, text otherwise. */
  // deno-lint-ignore no-explicit-any
  readonly body: any;
}

type Headers = Readonly<Record<string, string>>;

/** How an https address is spoken to: whose certificates count, and what the client shows. */
export interface TlsClient {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name that it asks for. Default: that of the Host header. */
  readonly servername?: string;
}

/** POST a value as JSON; text is sent as it is. */
export function post(
  url: string,
  body: unknown,
  headers: Headers = {},
  tls?: TlsClient,
): Promise<HttpAnswer> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return send("POST", url, { "content-type": "application/json", ...headers }, text, tls);
}

export function get(url: string, headers: Headers = {}, tls?: TlsClient): Promise<HttpAnswer> {
  return send("GET", url, headers, "", tls);
}

/** Any method. A header that fetch would not send, such as Host, is sent. */
export async function send(
  method: string,
  url: string,
  headers: Headers,
  body = "",
  tls?: TlsClient,
): Promise<HttpAnswer> {
  return await new Promise((resolve, reject) => {
    const length = body === "" || "transfer-encoding" in headers
      ? {}
      : { "content-length": Buffer.byteLength(body) };
    const outgoing = (url.startsWith("https:") ? requestByTls : request)(
      url,
      { method, headers: { ...length, ...headers }, agent: false, ...tls },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => void (text += part));
        response.on("error", reject);
        response.on("end", () => {
          const isJson = response.headers["content-type"]?.startsWith("application/json") === true;
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: isJson && method !== "HEAD" ? JSON.parse(text) : text,
          });
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
