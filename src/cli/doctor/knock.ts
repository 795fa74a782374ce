/**
 * A request whose Host and Origin headers are what they are made to be, as those of a browser may be; `fetch` lets nobody
 * choose them.
 *
 * @module
 */
import { request as requestPlainly } from "node:http";
import { request as requestByTls } from "node:https";
import { ANSWER_MS } from "../reach/get-json.ts";

/** @returns the status of the answer; null where none comes */
export function knock(
  origin: string,
  headers: { readonly host?: string; readonly origin?: string },
): Promise<number | null> {
  const url = new URL("/health", origin);
  const options = { headers, agent: false, timeout: ANSWER_MS };
  return new Promise((resolve) => {
    const request = url.protocol === "https:"
      // Nothing is told that a stranger may not hear, and of what is answered only the status is looked at.
      ? requestByTls(url, { ...options, rejectUnauthorized: false })
      : requestPlainly(url, options);
    request.on("response", (response) => {
      resolve(response.statusCode ?? null);
      response.destroy();
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(null));
    request.on("close", () => resolve(null));
    request.end();
  });
}
