/**
 * Names of the tools that every service has besides its requests. Kept apart from the tools, which are made when
 * somebody asks for them.
 *
 * @module
 */
import type { Contract } from "../protocol/contract.ts";

export const SERVER_TOOL_NAMES: ReadonlySet<string> = new Set([
  "wait_for_event",
  "read_events",
  "websocket_status",
  "websocket_health_check",
  "websocket_list_rooms",
  "websocket_get_metrics",
  "websocket_get_status",
  "broadcast_test_event",
  "websocket_broadcast_test_event",
]);

/** @throws {TypeError} where a request of the contract has the name of a tool that every service has. */
export function checkToolNames(contract: Contract): void {
  const clash = Object.keys(contract.requests).find((name) => SERVER_TOOL_NAMES.has(name));
  if (clash === undefined) return;
  throw new TypeError(
    `Cannot offer request '${clash}' of '${contract.name}' as a tool: every service has a tool of this name`,
  );
}
