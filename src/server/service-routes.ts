/**
 * The routes that a service adds to its HTTP port, behind the same checks as everything else.
 *
 * @module
 */
import type { Context, Hono } from "hono";
import { addressGroup } from "../limits/address.ts";
import type { Identity } from "../ports/call.ts";
import { Refusal } from "../protocol/errors.ts";
import { stringifyJson } from "../protocol/json.ts";
import type { HttpRoute, RouteAnswer, RouteRequest } from "../service/http-route.ts";
import type { AppHost } from "./host.ts";
import { type CallerEnv, refuse, requireIdentity } from "./identify.ts";

export function addServiceRoutes(app: Hono<CallerEnv>, host: AppHost): void {
  for (const route of host.routes) {
    app.on(route.method, route.path, requireIdentity(host.settings.auth.required), async (context) => {
      return await answer(host, route, context);
    });
  }
}

async function answer(
  host: AppHost,
  route: HttpRoute<unknown>,
  context: Context<CallerEnv>,
): Promise<Response> {
  const { identity } = context.get("caller");
  const refused = (error: Refusal) => {
    // What is left of the body is in the way of a next request.
    if (context.req.raw.body) context.header("Connection", "close");
    return refuse(context, error.code, error.message);
  };
  if (!host.mayAccess(identity, route.access)) {
    const needed = `${host.contract.name}:${route.access}`;
    return refused(new Refusal("FORBIDDEN", `Not authorized to ${route.method} this: needs ${needed}`));
  }
  const manager = host.open()?.manager;
  if (!manager) {
    return refused(new Refusal("NOT_AVAILABLE", "The service is not up: try again in a moment"));
  }
  try {
    const given = await route.handle(manager, {
      parameters: context.req.param(),
      header: (name) => context.req.header(name),
      body: context.req.raw.body,
      identity,
      method: context.req.raw.method as RouteRequest["method"],
      caller: callerOf(identity, host.address(context)),
      signal: context.req.raw.signal,
    });
    return await sent(context, given);
  } catch (error) {
    if (error instanceof Refusal) return refused(error);
    throw error;
  }
}

function callerOf({ authenticated, userId }: Identity, address: string | null): string {
  if (authenticated && userId !== null) return `user ${userId}`;
  return `address ${address === null ? "" : addressGroup(address)}`;
}

async function sent(
  context: Context<CallerEnv>,
  { status = 200, headers = {}, body }: RouteAnswer,
): Promise<Response> {
  if (body === null) return context.body(null, status, headers);
  if (!(body instanceof ReadableStream)) {
    return context.body(stringifyJson(body), status, { "Content-Type": "application/json", ...headers });
  }
  if (context.req.raw.method !== "HEAD") return context.body(body, status, headers);
  // Hono leaves the body of such an answer as it is, and with it what it holds open.
  await body.cancel();
  return context.body(null, status, headers);
}
