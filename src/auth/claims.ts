/**
 * What a token says, once its signature is known to be good: for whom it is, from when until when, and who it speaks
 * for.
 *
 * @module
 */
import type { Identity } from "../ports/call.ts";

/** The last moment that a JavaScript date can tell; a token that expires later counts as expiring then. */
const LAST_MOMENT_MS = 8.64e15;

export type Verdict =
  | { readonly ok: true; readonly identity: Identity; readonly expiresAt: number | null }
  | { readonly ok: false; readonly reason: "invalid" | "expired" };

export interface ClaimRules {
  /** Name of this service. */
  readonly service: string;
  /** `iss` must be there and one of these. Empty: where `iss` is there, it names the service. */
  readonly issuers: readonly string[];
  /** `aud` must be there and hold one of these. Empty: where `aud` is there, it names the service. */
  readonly audiences: readonly string[];
  /** Seconds by which the issuer's clock may differ from ours, either way. */
  readonly skewSeconds: number;
}

/**
 * Judge claims.
 *
 * @param claims As parsed from the token.
 * @param now Seconds since the Unix epoch.
 */
export function judgeClaims(claims: unknown, rules: ClaimRules, now: number): Verdict {
  const invalid: Verdict = { ok: false, reason: "invalid" };
  if (typeof claims !== "object" || claims === null || Array.isArray(claims)) return invalid;
  const claim = (name: string): unknown =>
    Object.hasOwn(claims, name) ? (claims as Record<string, unknown>)[name] : undefined;

  const { skewSeconds: skew, service } = rules;
  const [exp, nbf, iat] = [claim("exp"), claim("nbf"), claim("iat")];
  if (!isMoment(exp) || !isMoment(nbf) || !isMoment(iat)) return invalid;
  if ((nbf !== undefined && nbf > now + skew) || (iat !== undefined && iat > now + skew)) return invalid;
  if (!names(claim("aud"), rules.audiences, service)) return invalid;
  if (!names(claim("iss"), rules.issuers, service)) return invalid;

  const userId = principal(claim("user_id") ?? claim("sub"));
  const permissions = permissionNames(claim("permissions") ?? claim("scopes"), claim("scope"));
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

/** Whether `aud` or `iss` names one that is expected. */
function names(value: unknown, expected: readonly string[], service: string): boolean {
  const given: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (expected.length > 0) return given.some((name) => expected.includes(name as string));
  return value === undefined || given.includes(service);
}

/**
 * Who the token speaks for; undefined where nobody can tell: a name with half a character (a lone surrogate) becomes
 * another's wherever it is written. A whole number becomes its digits, but not one that a double cannot hold: two users
 * would become one. An empty name is nobody's.
 */
function principal(value: unknown): string | null | undefined {
  if (value === undefined || value === null || value === "") return null;
  if (typeof value === "string") return value.isWellFormed() ? value : undefined;
  return Number.isSafeInteger(value) ? String(value) : undefined;
}

/**
 * A list, or in its absence the words of `scope` as OAuth writes them. Without blanks and in lower case, as crackerjack
 * compares them.
 */
function permissionNames(list: unknown, scope: unknown): string[] | undefined {
  const given = list ?? (typeof scope === "string" ? scope.split(" ") : scope) ?? [];
  if (!Array.isArray(given) || !given.every((name) => typeof name === "string")) return undefined;
  return given.map((name) => name.trim().toLowerCase()).filter((name) => name !== "");
}
