/**
 * Tokens: JSON Web Tokens of two families. Those signed with a shared secret (HS256), in both families of claims that
 * the existing services make: `user_id` with `permissions`, and `sub` with `scopes`. And those that an issuer has signed
 * with a key of its own (RS256, ES256, EdDSA), of which we know the public half.
 *
 * @module
 */
import { CompactSign, compactVerify, decodeProtectedHeader } from "jose";
import type { Identity } from "../ports/call.ts";
import type { Clock } from "../ports/clock.ts";
import { type ClaimRules, judgeClaims } from "./claims.ts";
import type { KeySet } from "./key-set.ts";

/** Longer tokens are refused before anything is computed over them. In characters. */
export const MAX_TOKEN_LENGTH = 16_384;

export type Verification =
  | {
    readonly ok: true;
    readonly identity: Identity;
    /**
     * Wall-clock milliseconds from which on the token is no longer accepted, allowed skew included; null where it never
     * expires. May lie further ahead than a timer can wait (2^31 - 1 ms).
     */
    readonly expiresAt: number | null;
  }
  | {
    readonly ok: false;
    /**
     * `malformed`: not a string, or an empty one. `expired`: signed by us, for us, and past its time. `unavailable`: its
     * key is not known, and the issuer's keys are out of reach. `invalid`: all else, without a word on what is wrong
     * with it.
     */
    readonly reason: "malformed" | "invalid" | "expired" | "unavailable";
  };

/** Check a token. Takes whatever a client sent; never rejects. */
export type Verify = (token: unknown) => Promise<Verification>;

export interface VerifierOptions {
  /** The key of HS256 signatures, as its UTF-8 bytes. Never empty. Absent: no token of this family is accepted. */
  readonly secret?: string;
  /** The issuer's keys. Absent: no token of this family is accepted. */
  readonly keys?: Pick<KeySet, "find">;
  /** Who may have issued a token that one of `keys` checks. @default [], as in `ClaimRules` */
  readonly issuers?: readonly string[];
  /** For whom such a token may be. @default [], as in `ClaimRules` */
  readonly audiences?: readonly string[];
  /** Name of this service. A token whose `aud` or `iss` names only others is refused. */
  readonly service: string;
  readonly clock: Clock;
  /** Seconds by which the issuer's clock may differ from ours, either way. @default 0 */
  readonly skewSeconds?: number;
}

/** Headers by which a token would bring its own key, or ask for what we do not do. */
const REFUSED_HEADERS = ["jwk", "jku", "x5c", "x5u", "crit", "b64", "zip"];

const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * Make the function that checks tokens of one service.
 *
 * A token counts when its signature fits the secret (HS256) or the issuer's key that it names (the algorithm is the
 * key's), `exp` is ahead, `nbf` and `iat` are not, and `aud` and `iss` name this service; each of the four is checked
 * where it is present. A token without `exp` never expires. A claim of the wrong type makes the token invalid.
 *
 * @throws {TypeError} where the secret is empty.
 */
export function createVerifier(options: VerifierOptions): Verify {
  const { secret, keys, service, clock, skewSeconds = 0, issuers = [], audiences = [] } = options;
  const own: ClaimRules = { service, issuers: [], audiences: [], skewSeconds };
  const issued: ClaimRules = { service, issuers, audiences, skewSeconds };
  const secretKey = secret === undefined ? null : importSecret(secret, "verify");
  // A rejection is met by the first `await`; without this it would be reported before that.
  secretKey?.catch(() => {});

  return async (token) => {
    if (typeof token !== "string" || token === "") return { ok: false, reason: "malformed" };
    const invalid: Verification = { ok: false, reason: "invalid" };
    if (token.length > MAX_TOKEN_LENGTH || !COMPACT.test(token)) return invalid;
    try {
      const header: Record<string, unknown> = { ...decodeProtectedHeader(token) };
      if (REFUSED_HEADERS.some((name) => Object.hasOwn(header, name))) return invalid;
      const { alg, kid } = header;
      if (kid !== undefined && typeof kid !== "string") return invalid;
      if (alg === "HS256" && secretKey) {
        const claims = await claimsOf(token, await secretKey, alg);
        return judgeClaims(claims, own, clock.now() / 1000);
      }
      if ((alg === "RS256" || alg === "ES256" || alg === "EdDSA") && keys) {
        const found = await keys.find(alg, kid);
        if (!found.ok) return found.reason === "unknown" ? invalid : { ok: false, reason: "unavailable" };
        return judgeClaims(await claimsOf(token, found.key, alg), issued, clock.now() / 1000);
      }
    } catch {
      // Whatever was wrong with it: there is nothing that the client should learn of it.
    }
    return invalid;
  };
}

/** Rejects where the signature does not fit, or the claims are no JSON. */
async function claimsOf(token: string, key: CryptoKey, algorithm: string): Promise<unknown> {
  const { payload } = await compactVerify(token, key, { algorithms: [algorithm] });
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
}

export interface TokenOptions {
  readonly secret: string;
  /** Null makes a token without a user. */
  readonly userId: string | null;
  readonly permissions: readonly string[];
  /** Null makes a token that never expires. @default 3600 */
  readonly expiresInSeconds?: number | null;
  readonly clock: Clock;
}

/**
 * Make a token with the claims `user_id`, `permissions`, `iat` and `exp`, signed with the secret (HS256).
 *
 * @throws {TypeError} where the secret is empty.
 */
export async function createToken(options: TokenOptions): Promise<string> {
  const { secret, userId, permissions, expiresInSeconds = 3600, clock } = options;
  const issuedAt = Math.floor(clock.now() / 1000);
  const claims = {
    ...(userId === null ? {} : { user_id: userId }),
    permissions: [...permissions],
    iat: issuedAt,
    ...(expiresInSeconds === null ? {} : { exp: issuedAt + expiresInSeconds }),
  };
  return await new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .sign(await importSecret(secret, "sign"));
}

/** A key object, which no library can take for the text of a PEM file. */
function importSecret(secret: string, usage: "sign" | "verify"): Promise<CryptoKey> {
  if (secret === "") throw new TypeError("Cannot use an empty token secret: expected at least one character");
  const bytes = new TextEncoder().encode(secret);
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, [usage]);
}
