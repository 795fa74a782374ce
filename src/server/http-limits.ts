/**
 * How much may be asked over HTTP, MCP included: how many requests at a time, and how many in a second. An upgrade is a
 * request too, and so is each message of a batch. `/health` and `/ready` are always answered, unless a token is to be
 * checked: whoever watches a server that has much to do must not take it for dead, and they cost no more than a refusal.
 *
 * @module
 */
import type { Context, MiddlewareHandler } from "hono";
import { requestRateMessage, retryAfter } from "../limits/request-rate.ts";
import type { Clock } from "../ports/clock.ts";
import { type CallerEnv, refuse } from "./identify.ts";
import type { ServerLimits } from "./server-limits.ts";

export interface HttpLimitsHost {
  readonly limits: ServerLimits;
  readonly clock: Clock;
  /** Where a request comes from; null where nobody can tell. */
  address(context: Context): string | null;
}

/** Stands before everything else, at the paths that tell whether the server lives: the router knows them exactly. */
export function exemptFromLimits(): MiddlewareHandler<CallerEnv> {
  return async function exemption(context, next) {
    context.set("asksForLife", context.req.header("upgrade") === undefined && !hasToken(context));
    return await next();
  };
}

/** Stands before everything that costs more than a refusal. */
export function holdToLimits(host: HttpLimitsHost): MiddlewareHandler<CallerEnv> {
  return async function limitCheck(context, next) {
    if (context.get("asksForLife")) return await next();
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
    if (group === null || !hasToken(context)) return await next();
    const { requestRate } = host.limits;
    requestRate.giveBack(nameOf(context, group));
    const wait = requestRate.take(callerName(context, group), host.clock.monotonic());
    return wait === true ? await next() : tooMany(host, context, wait);
  };
}

/**
 * Count messages that came in one request beside the first, for whom the request was counted.
 *
 * @returns true, or the seconds until as many may be asked.
 */
export function countFurther(
  host: HttpLimitsHost,
  context: Context<CallerEnv>,
  further: number,
): true | number {
  const group = host.limits.rateGroup(host.address(context));
  if (group === null || further < 1) return true;
  const wait = host.limits.requestRate.takeFurther(
    callerName(context, group),
    further,
    host.clock.monotonic(),
  );
  if (wait !== true) host.limits.reached("http_rate");
  return wait;
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

/** Whom a request counts for when it is known who asks. */
function callerName(context: Context<CallerEnv>, group: string): string {
  const { userId } = context.get("caller").identity;
  return userId === null ? `address ${group}` : `user ${userId}`;
}

function tooMany({ limits }: HttpLimitsHost, context: Context, waitSeconds: number): Response {
  limits.reached("http_rate");
  context.header("Retry-After", retryAfter(waitSeconds));
  return refuse(context, "RATE_LIMIT_EXCEEDED", requestRateMessage(waitSeconds));
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
