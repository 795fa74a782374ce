/**
 * From what a client shows to who it is, and what it is told where that fails. Codes, sentences and reasons are those
 * that existing clients know.
 *
 * @module
 */
import type { ErrorCode } from "../protocol/errors.ts";
import { ANONYMOUS, type Identity } from "../ports/call.ts";
import type { Verify } from "./token.ts";

/** How a connection that did not authenticate ends. */
export interface AuthText {
  /** Code and sentence of the error frame, which goes out before the close; null: no frame. */
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
  /** True where the error frame answers a request, and so carries its correlation id. */
  readonly correlated: boolean;
  readonly closeCode: 1008 | 1011;
  readonly closeReason: string;
}

/** What happens when the first frame of a connection that has to authenticate is not an `auth` request with a good token. */
export const AUTH_TEXTS = {
  /** An `auth` request whose `token` is missing, empty or not a string. */
  malformed: {
    error: { code: "AUTH_FAILED", message: "Missing or malformed auth token" },
    correlated: true,
    closeCode: 1008,
    closeReason: "Authentication failed",
  },
  /** An `auth` request whose token is forged, meant for another service, not valid yet, or past its time. */
  invalid: {
    error: { code: "AUTH_FAILED", message: "Invalid or expired token" },
    correlated: true,
    closeCode: 1008,
    closeReason: "Authentication failed",
  },
  /** An `auth` request whose token may be good: the keys that would tell are out of reach. The client may come back. */
  unavailable: {
    error: { code: "NOT_AVAILABLE", message: "The token cannot be checked at the moment: try again later" },
    correlated: true,
    closeCode: 1011,
    closeReason: "Authentication error",
  },
  /** Any other frame, an event named `auth` included. */
  required: {
    error: { code: "AUTH_REQUIRED", message: "Authentication required" },
    correlated: false,
    closeCode: 1008,
    closeReason: "Authentication required",
  },
  /** A frame that cannot be decoded. */
  undecodable: { error: null, correlated: false, closeCode: 1011, closeReason: "Authentication error" },
  /** No frame within the deadline. */
  timeout: {
    error: { code: "AUTH_REQUIRED", message: "Authentication required" },
    correlated: false,
    closeCode: 1008,
    closeReason: "Authentication required",
  },
} as const satisfies Record<string, AuthText>;

export type Authentication =
  | {
    readonly ok: true;
    /** `ANONYMOUS` where nothing was shown. */
    readonly identity: Identity;
    /** As in `Verification`. */
    readonly expiresAt: number | null;
  }
  | { readonly ok: false; readonly text: AuthText };

/**
 * Who a token belongs to.
 *
 * @param token The `token` of an `auth` or `refresh_token` request, whatever the client put there.
 */
export async function authenticateToken(token: unknown, verify: Verify): Promise<Authentication> {
  const verification = await verify(token);
  if (verification.ok) return verification;
  return { ok: false, text: AUTH_TEXTS[verification.reason === "expired" ? "invalid" : verification.reason] };
}

/**
 * Who a request's `Authorization` header belongs to. Without the header, with one of another scheme, or where the server
 * knows no tokens, the caller is anonymous; whether that is enough is not judged here. A bad `Bearer` is refused (401,
 * or 503 where it cannot be checked at the moment).
 *
 * @param header The header's value; null or undefined where there is none.
 * @param verify Null where the server has neither secret nor keys.
 */
export async function authenticateHeader(
  header: string | null | undefined,
  verify: Verify | null,
): Promise<Authentication> {
  const bearer = parseBearer(header);
  if (verify === null || bearer.kind === "absent") return { ok: true, identity: ANONYMOUS, expiresAt: null };
  return await authenticateToken(bearer.kind === "token" ? bearer.token : "", verify);
}

export type Bearer =
  | { readonly kind: "token"; readonly token: string }
  /** No header, or another scheme. */
  | { readonly kind: "absent" }
  /** `Bearer` without a token, or with anything besides one. */
  | { readonly kind: "malformed" };

/** Take the token out of `Authorization: Bearer TOKEN` (RFC 6750; the scheme in any case). */
export function parseBearer(header: string | null | undefined): Bearer {
  if (header === null || header === undefined) return { kind: "absent" };
  const text = header.trim();
  if (!/^bearer(?:[ \t,]|$)/i.test(text)) return { kind: "absent" };
  const token = /^bearer +([a-z0-9._~+/-]+=*)$/i.exec(text)?.[1];
  return token === undefined ? { kind: "malformed" } : { kind: "token", token };
}
