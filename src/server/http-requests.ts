/**
 * Requests that come by HTTP, through the same dispatch as those of frames.
 *
 * @module
 */
import type { Context } from "hono";
import { type JsonObject, stringifyJson } from "../protocol/json.ts";
import type { AppHost } from "./host.ts";
import { type CallerEnv, refuse } from "./identify.ts";
import { traceOf } from "./request-trace.ts";

/** A request by its name, and its data. */
export interface Asked {
  readonly name: string;
  readonly data: JsonObject;
  /** The header of a request that changes something. @default none */
  readonly idempotencyKey?: string | null;
}

/** Let the service answer: the reply's data, or its refusal with the status that belongs to it. */
export async function answerRequest(
  host: AppHost,
  context: Context<CallerEnv>,
  { name, data, idempotencyKey = null }: Asked,
): Promise<Response> {
  const open = host.open();
  if (!open) return notUp(context);
  const { identity } = context.get("caller");
  const answer = await open.dispatch.handle({
    name,
    data,
    call: { identity, door: "http", connectionId: null, cause: Symbol(name), traceparent: traceOf(context) },
    idempotencyKey,
    origin: host.runtime().remoteAddress(context),
  });
  return answer.ok ? sendJson(context, answer.data) : refuse(context, answer.code, answer.message);
}

/** What a route answers before the service is up, and after it has stopped. */
export function notUp(context: Context): Response {
  return refuse(context, "NOT_AVAILABLE", "The service is not up: try again in a moment");
}

/** Big integers included, as in frames. */
export function sendJson(context: Context, data: JsonObject): Response {
  return context.body(stringifyJson(data), 200, { "Content-Type": "application/json" });
}
