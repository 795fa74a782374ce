/**
 * How much may be asked over HTTP, MCP included: how many requests at a time, and how many in a second. An upgrade is a
 * request too. `/health` and `/ready` are always answered: whoever watches a server that has much to do must not take it
 * for dead, and they cost no more than a refusal.
 *
 * @module
 */
import type { Context, MiddlewareHandler } from "hono";
import type { Clock } from "../ports/clock.ts";
import { type CallerEnv, refuse } from "./identify.ts";
import type { ServerLimits } from "./server-limits.ts";

export interface HttpLimitsHost {
  readonly limits: ServerLimits;
  readonly clock: Clock;
  /** Where a request comes from; null where nobody can tell. */
  address(context: Context): string | null;
}

/** Stands before everything else. */
export function holdToLimits(host: HttpLimitsHost): MiddlewareHandler {
  return async function limitCheck(context, next) {
    if (tellsOfLife(context)) return await next();
    const address = host.address(context);
    const group = host.limits.rateGroup(address);
    const wait = group === null
      ? true
      : host.limits.requestRate.take(nameOf(context, group), host.clock.monotonic());
    if (wait !== true) return tooMany(host, context, wait);
    const place = host.limits.requests.take(address);
    if (typeof place === "string") return full(host, context, place === "address");
    try {
      return await next();
    } finally {
      place();
    }
  };
}

/** Stands behind `identify`: who has proved to be somebody is counted as that, wherever the request comes from. */
export function holdUserToRate(host: HttpLimitsHost): MiddlewareHandler<CallerEnv> {
  return async function userRateCheck(context, next) {
    const group = host.limits.rateGroup(host.address(context));
    if (group === null || !hasToken(context) || tellsOfLife(context)) return await next();
    const { userId } = context.get("caller").identity;
    const { requestRate } = host.limits;
    requestRate.giveBack(nameOf(context, group));
    const name = userId === null ? `address ${group}` : `user ${userId}`;
    const wait = requestRate.take(name, host.clock.monotonic());
    return wait === true ? await next() : tooMany(host, context, wait);
  };
}

/** Bodies are taken as they are sent: one that says to be packed could be any size when it is unpacked. */
export function expectPlainBody(): MiddlewareHandler {
  return async function encodingCheck(context, next) {
    const encoding = context.req.header("content-encoding")?.trim().toLowerCase() ?? "";
    if (encoding === "" || encoding === "identity") return await next();
    // The body is in the way of a next request.
    context.header("Connection", "close");
    const said = `Expected a body without Content-Encoding, got '${encoding.slice(0, 80)}'`;
    return refuse(context, "DECODE_ERROR", said);
  };
}

function tellsOfLife({ req }: Context): boolean {
  return req.method === "GET" && req.header("upgrade") === undefined && /\/(health|ready)$/.test(req.path);
}

function hasToken({ req }: Context): boolean {
  return req.header("authorization") !== undefined;
}

/**
 * Tokens that do not hold have a bucket of their own, so that guessing is held to the rate before each is checked, and
 * so that nobody without a token can use up what those with one are granted.
 */
function nameOf(context: Context, group: string): string {
  return `${hasToken(context) ? "token" : "address"} ${group}`;
}

function tooMany({ limits }: HttpLimitsHost, context: Context, waitSeconds: number): Response {
  limits.reached("http_rate");
  context.header("Retry-After", String(Math.max(1, Math.ceil(waitSeconds))));
  const message = `Request rate limit exceeded. Retry after ${waitSeconds.toFixed(3)} seconds.`;
  return refuse(context, "RATE_LIMIT_EXCEEDED", message);
}

function full({ limits }: HttpLimitsHost, context: Context, ofAddress: boolean): Response {
  limits.reached(ofAddress ? "http_requests_per_address" : "http_requests");
  context.header("Retry-After", "1");
  return ofAddress
    ? refuse(
      context,
      "RATE_LIMIT_EXCEEDED",
      "Too many requests of this address at once. Wait for one to be answered.",
    )
    : refuse(context, "NOT_AVAILABLE", "Too many requests at once: try again in a moment");
}
