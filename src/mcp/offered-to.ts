/**
 * Who a request of an MCP session comes from.
 *
 * @module
 */
import type { Caller } from "./tool.ts";
import type { RequestHandlerExtra, ServerNotification, ServerRequest } from "./sdk.ts";

/** The MCP package's view of a request. */
export type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** The caller that the endpoint has put there. */
export function callerOf({ authInfo }: Extra): Caller {
  return authInfo?.extra?.["caller"] as Caller;
}
