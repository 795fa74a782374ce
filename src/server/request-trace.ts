/**
 * Trace context of a request that comes by HTTP.
 *
 * @module
 */
import type { Context } from "hono";
import { readTraceparent } from "../protocol/traceparent.ts";

/** That of the header; undefined where there is none, or none that is valid. */
export function traceOf(context: Context): string | undefined {
  return readTraceparent(context.req.header("traceparent"));
}
