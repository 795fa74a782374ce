/**
 * Tokens: JSON Web Tokens signed with a shared secret (HS256), in both families of claims that the existing services
 * make: `user_id` with `permissions`, and `sub` with `scopes`.
 *
 * @module
 */
import { sign, verify as verifySignature } from "hono/jwt";
import type { Identity } from "../ports/call.ts";
import type { Clock } from "../ports/clock.ts";

/** Longer tokens are refused before anything is computed over them. In characters. */
export const MAX_TOKEN_LENGTH = 16_384;

/** The last moment that a JavaScript date can tell; a token that expires later counts as expiring then. */
const LAST_MOMENT_MS = 8.64e15;

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
     * `malformed`: not a string, or an empty one. `expired`: signed by us, for us, and past its time. `invalid`: all
     * else, without a word on what is wrong with it.
     */
    readonly reason: "malformed" | "invalid" | "expired";
  };

/** Check a token. Takes whatever a client sent; never rejects. */
export type Verify = (token: unknown) => Promise<Verification>;

export interface VerifierOptions {
  /** The key of the signatures, as its UTF-8 bytes. Never empty. */
  readonly secret: string;
  /** Name of this service. A token whose `aud` or `iss` names only others is refused. */
  readonly service: string;
  readonly clock: Clock;
  /** Seconds by which the issuer's clock may differ from ours, either way. @default 0 */
  readonly skewSeconds?: number;
}

/**
 * Make the function that checks tokens of one service.
 *
 * A token counts when its algorithm is HS256 and its signature fits, `exp` is ahead, `nbf` and `iat` are not, and `aud`
 * and `iss` name this service; each of the four is checked where it is present. A token without `exp` never expires.
 * A claim of the wrong type makes the token invalid.
 *
 * @throws {TypeError} where the secret is empty.
 */
export function createVerifier(options: VerifierOptions): Verify {
  const { secret, service, clock, skewSeconds = 0 } = options;
  const key = importSecret(secret, "verify");
  // A rejection is met by the first `await`; without this it would be reported before that.
  key.catch(() => {});

  return async (token) => {
    if (typeof token !== "string" || token === "") return { ok: false, reason: "malformed" };
    if (token.length > MAX_TOKEN_LENGTH) return { ok: false, reason: "invalid" };
    let claims: unknown;
    try {
      // Times are checked below, against our own clock.
      claims = await verifySignature(token, await key, { alg: "HS256", exp: false, nbf: false, iat: false });
    } catch {
      return { ok: false, reason: "invalid" };
    }
    return judge(claims, service, clock.now() / 1000, skewSeconds);
  };
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
 * Make a token with the claims `user_id`, `permissions`, `iat` and `exp`.
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
  return await sign(claims, await importSecret(secret, "sign"), "HS256");
}

/** A key object, since `hono/jwt` would read a string that holds the word PUBLIC or PRIVATE as a PEM file. */
function importSecret(secret: string, usage: "sign" | "verify"): Promise<CryptoKey> {
  if (secret === "") throw new TypeError("Cannot use an empty token secret: expected at least one character");
  const bytes = new TextEncoder().encode(secret);
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, [usage]);
}

/** The verdict on claims whose signature is good. */
function judge(claims: unknown, service: string, now: number, skew: number): Verification {
  const invalid: Verification = { ok: false, reason: "invalid" };
  if (typeof claims !== "object" || claims === null || Array.isArray(claims)) return invalid;
  const claim = (name: string): unknown =>
    Object.hasOwn(claims, name) ? (claims as Record<string, unknown>)[name] : undefined;

  const [exp, nbf, iat] = [claim("exp"), claim("nbf"), claim("iat")];
  if (!isMoment(exp) || !isMoment(nbf) || !isMoment(iat)) return invalid;
  if ((nbf !== undefined && nbf > now + skew) || (iat !== undefined && iat > now + skew)) return invalid;
  if (!names(claim("aud"), service) || !names(claim("iss"), service)) return invalid;

  const userId = principal(claim("user_id") ?? claim("sub"));
  const permissions = permissionNames(claim("permissions") ?? claim("scopes"));
  if (userId === undefined || permissions === undefined) return invalid;
  if (exp !== undefined && exp <= now - skew) return { ok: false, reason: "expired" };
  return {
    ok: true,
    identity: { userId, permissions, authenticated: true },
    expiresAt: exp === undefined ? null : Math.min((exp + skew) * 1000, LAST_MOMENT_MS),
  };
}

/** Seconds since the epoch, or absent. */
function isMoment(value: unknown): value is number | undefined {
  return value === undefined || (typeof value === "number" && Number.isFinite(value));
}

/** Whether `aud` or `iss`, where present, names the service. */
function names(value: unknown, service: string): boolean {
  if (value === undefined) return true;
  return Array.isArray(value) ? value.includes(service) : value === service;
}

/**
 * Who the token speaks for; undefined where nobody can tell. A whole number becomes its digits, but not one that a
 * double cannot hold: two users would become one.
 */
function principal(value: unknown): string | null | undefined {
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return value;
  return Number.isSafeInteger(value) ? String(value) : undefined;
}

/** Without blanks and in lower case, as crackerjack compares them. */
function permissionNames(value: unknown): string[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every((name) => typeof name === "string")) return undefined;
  return value.map((name) => name.trim().toLowerCase()).filter((name) => name !== "");
}
