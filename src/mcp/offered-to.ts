/**
 * Who a request of an MCP session comes from.
 *
 * @module
 */
import { readTraceparent } from "../protocol/traceparent.ts";
import type { Caller } from "./tool.ts";
import type { RequestHandlerExtra, ServerNotification, ServerRequest } from "./sdk.ts";

/** The MCP package's view of a request. */
export type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** The caller that the endpoint has put there. */
export function callerOf({ authInfo }: Extra): Caller {
  return authInfo?.extra?.["caller"] as Caller;
}

/** Trace context of a request: that of its `_meta`, which is the client's own; otherwise that of the HTTP header. */
export function traceOf({ _meta, requestInfo }: Extra): string | undefined {
  return readTraceparent(_meta?.["traceparent"]) ?? readTraceparent(requestInfo?.headers["traceparent"]);
}
