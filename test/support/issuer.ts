/**
 * Whoever issues tokens: keys of its own, tokens that it signs, and its key set, on a real HTTP server.
 *
 * @module
 */
import { CompactSign, exportJWK, generateKeyPair, type JWK } from "jose";
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const ALGORITHMS = ["RS256", "ES256", "EdDSA"] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

export interface IssuerKey {
  readonly algorithm: Algorithm;
  readonly id: string;
  readonly privateKey: CryptoKey;
  /** The public half, as it stands in a key set. */
  readonly jwk: JWK;
}

export async function makeKey(algorithm: Algorithm, id: string): Promise<IssuerKey> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = { ...await exportJWK(publicKey), kid: id, alg: algorithm, use: "sig" };
  return { algorithm, id, privateKey, jwk };
}

/** Sign claims; `header` adds to what a token's header has, or replaces it. */
export async function signWith(key: IssuerKey, claims: object, header: object = {}): Promise<string> {
  return await new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ alg: key.algorithm, kid: key.id, typ: "JWT", ...header })
    .sign(key.privateKey);
}

/** The text of a key set. */
export function keySetOf(...keys: readonly (IssuerKey | JWK)[]): string {
  return JSON.stringify({ keys: keys.map((key) => "jwk" in key ? key.jwk : key) });
}

/** A server that hands out a text, and whatever else a test wants of it. */
export class KeyServer {
  /** What it answers with. */
  text: string;
  /** Answers instead; returns without an end for an answer that does not come. Null: `text` with status 200. */
  answer: ((response: ServerResponse, path: string) => void) | null = null;
  /** Requests so far. */
  requests = 0;
  readonly #server: Server;
  readonly #asked = new Set<() => void>();

  private constructor(text: string, server: Server) {
    this.text = text;
    this.#server = server;
  }

  static async start(text: string): Promise<KeyServer> {
    const server = createServer((request, response) => {
      keys.requests++;
      if (keys.answer) keys.answer(response, request.url ?? "");
      else response.setHeader("Content-Type", "application/json").end(keys.text);
      for (const told of keys.#asked) told();
      keys.#asked.clear();
    });
    const keys = new KeyServer(text, server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return keys;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/keys.json`;
  }

  /** Resolves with the next request. */
  asked(): Promise<void> {
    return new Promise((resolve) => this.#asked.add(resolve));
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close").catch(() => {});
  }
}
