/**
 * Requests to a service on this machine, also where it speaks TLS with a certificate that nobody has signed but itself.
 *
 * @module
 */
import { request as requestByTls, type RequestOptions } from "node:https";
import { Readable } from "node:stream";
import { addressGroup, isThisMachine } from "../../limits/address.ts";
import type { Files } from "../../ports/files.ts";

export interface Question {
  readonly method: "GET" | "POST" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/** As `fetch`, with less to say. Rejects where no answer comes. */
export type Ask = (url: string, question: Question) => Promise<Response>;

export const askPlainly: Ask = (url, question) => fetch(url, { ...question, redirect: "manual" });

/**
 * The way to a port that speaks TLS: its certificate must be the one of `certFile`, or one that the runtime trusts.
 *
 * @param certFile Where the settings say that the certificate is; undefined where they do not.
 */
export function askByTls(files: Pick<Files, "readText" | "resolve">, certFile: string | undefined): Ask {
  return async (url, question) => {
    // Read each time: whoever serves may have made it meanwhile.
    const text = certFile === undefined ? undefined : await files.readText(files.resolve(certFile));
    const own = text === undefined ? undefined : firstCertificate(text);
    if (own === undefined) return await askPlainly(url, question);
    try {
      return await askTrusting(own, url, question);
    } catch (error) {
      if (!isDistrust(error)) throw error;
      return await askPlainly(url, question);
    }
  };
}

/** The one of the server. Those after it could sign others. */
export function firstCertificate(pem: string): string | undefined {
  return /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(pem)?.[0];
}

function askTrusting(certificate: string, url: string, question: Question): Promise<Response> {
  const { hostname } = new URL(url);
  const options: RequestOptions & { readonly allowPartialTrustChain: boolean } = {
    method: question.method,
    headers: { ...question.headers },
    ca: [certificate],
    // It may have an issuer: it is trusted itself, whoever that is.
    allowPartialTrustChain: true,
    agent: false,
    ...(question.signal ? { signal: question.signal } : {}),
    // It is the very certificate of the settings, which need not name this machine's own address.
    ...(isLoopback(hostname) ? { checkServerIdentity: () => undefined } : {}),
  };
  return new Promise((resolve, reject) => {
    const request = requestByTls(url, options, (incoming) => {
      const headers = new Headers();
      for (const [name, value] of Object.entries(incoming.headers)) {
        for (const text of [value ?? []].flat()) headers.append(name, text);
      }
      const status = incoming.statusCode ?? 500;
      const hasBody = status !== 204 && status !== 304;
      const body = hasBody ? Readable.toWeb(incoming) as ReadableStream<Uint8Array> : null;
      resolve(new Response(body, { status, headers }));
    });
    request.on("error", reject);
    request.end(question.body);
  });
}

export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || isThisMachine(addressGroup(hostname));
}

/** All that an error and its causes say. */
export function said(error: unknown): string {
  const texts: string[] = [];
  for (let at = error; at instanceof Error && texts.length < 5; at = at.cause) {
    texts.push(`${(at as { code?: unknown }).code ?? ""} ${at.message}`.trim());
  }
  return texts.join(": ") || String(error);
}

/** Nobody listens there: the question has not been heard. */
export function isRefused(error: unknown): boolean {
  return /ECONNREFUSED|connection refused/i.test(said(error));
}

/** It speaks, but not TLS, as it was spoken to. */
export function isOtherProtocol(error: unknown): boolean {
  return /wrong.version.number|packet length too long|EPROTO\b|InvalidContentType|corrupt message/i.test(
    said(error),
  );
}

/** Its certificate is not trusted, or not for this name. */
export function isDistrust(error: unknown): boolean {
  return /SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|CERT_|ERR_TLS_CERT|invalid peer certificate|self-signed|unable to verify/i
    .test(said(error));
}
