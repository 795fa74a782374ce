/**
 * Requests that every service answers, beside those of its contract.
 *
 * @module
 */

/** Answered by the connection itself: they concern one client and have no HTTP or MCP twin. */
export const CONNECTION_REQUEST_NAMES: ReadonlySet<string> = new Set([
  "subscribe",
  "unsubscribe",
  "auth",
  "refresh_token",
  "ping",
]);

/** Answered by the service, through every door. */
export const SERVICE_REQUEST_NAMES: ReadonlySet<string> = new Set([
  "get_presence",
  "get_history",
  "publish",
  "get_status",
]);

export const COMMON_REQUEST_NAMES: ReadonlySet<string> = new Set([
  ...CONNECTION_REQUEST_NAMES,
  ...SERVICE_REQUEST_NAMES,
]);
