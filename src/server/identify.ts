/**
 * What stands before every route: who may knock (Host and Origin), and who is asking (Authorization).
 *
 * @module
 */
import type { Context, MiddlewareHandler } from "hono";
import { authenticateHeader } from "../auth/authenticate.ts";
import type { OriginRule } from "../auth/origin.ts";
import type { Verify } from "../auth/token.ts";
import type { Identity } from "../ports/call.ts";
import type { Log } from "../ports/log.ts";
import { type ErrorCode, ERRORS } from "../protocol/errors.ts";
import { traceFields } from "../protocol/traceparent.ts";
import { traceOf } from "./request-trace.ts";

/** Who is asking, as far as the request's header proves. */
export interface Caller {
  readonly identity: Identity;
  /** Milliseconds since the Unix epoch; null for never. */
  readonly expiresAt: number | null;
}

/** Variables that the middlewares leave in the context. */
export type CallerEnv = {
  Variables: {
    caller: Caller;
    /** Whether the request asks for nothing but a sign of life, and is not held to the limits. */
    asksForLife?: boolean;
  };
};

export interface TurnsAway {
  /** Count an upgrade that was refused before there was a connection, by why. */
  turnedAway(reason: "origin" | "auth_failed" | "not_available"): void;
}

/** Whether the request is to become a WebSocket. */
export function isUpgrade(context: Context): boolean {
  return context.req.header("upgrade")?.toLowerCase() === "websocket";
}

/** The body of every refusal: one error with its code, under the status that its row gives. */
export function refuse(context: Context, code: ErrorCode, message: string): Response {
  if (code === "AUTH_FAILED" || code === "AUTH_REQUIRED") context.header("WWW-Authenticate", "Bearer");
  return context.json({ error_code: code, error_message: message }, ERRORS[code].httpStatus);
}

/** Refuse pages from elsewhere, and names that are not ours, before anything else is looked at. */
export function checkOrigin(
  host: { originRule(): OriginRule; readonly log: Log } & TurnsAway,
): MiddlewareHandler {
  return async function originCheck(context, next) {
    const rule = host.originRule();
    const { url } = context.req;
    const given = context.req.header("host");
    const origin = context.req.header("origin");
    const name = given ?? new URL(url).host;
    let verdict = rule.check({ host: name, origin });
    // A target that names a server itself outdoes the header (RFC 9112, section 3.2.2): both have to be ours.
    if (verdict.ok && !url.startsWith(`//${name}/`, url.indexOf("//"))) {
      verdict = rule.check({ host: authorityIn(url), origin: null });
    }
    if (verdict.ok) return await next();
    // No browser leaves out both: whoever looks for open ports does.
    const level = given === undefined && origin === undefined ? "debug" : "warn";
    host.log[level]("Request refused", { reason: verdict.message, ...traceFields(traceOf(context)) });
    if (isUpgrade(context)) host.turnedAway("origin");
    return refuse(context, "FORBIDDEN", verdict.message);
  };
}

/** User and all, as it was sent. */
function authorityIn(url: string): string {
  return /^[a-z]+:\/\/([^/?#]*)/i.exec(url)?.[1] ?? "";
}

/** Check a token where one came; a bad one is refused with 401, none leaves the caller anonymous. 503: it cannot be checked now. */
export function identify(
  { verify, turnedAway }: { readonly verify: Verify | null } & TurnsAway,
): MiddlewareHandler<CallerEnv> {
  return async function identifyCaller(context, next) {
    const result = await authenticateHeader(context.req.header("authorization"), verify);
    if (!result.ok) {
      const { code, message } = result.text.error!;
      if (isUpgrade(context)) turnedAway(code === "AUTH_FAILED" ? "auth_failed" : "not_available");
      return refuse(context, code, message);
    }
    context.set("caller", { identity: result.identity, expiresAt: result.expiresAt });
    return await next();
  };
}

/** Refuse anonymous callers where authentication is required. */
export function requireIdentity(required: boolean): MiddlewareHandler<CallerEnv> {
  return async function identityCheck(context, next) {
    if (!required || context.get("caller").identity.authenticated) return await next();
    return refuse(context, "AUTH_REQUIRED", "Authentication required: send Authorization: Bearer TOKEN");
  };
}
