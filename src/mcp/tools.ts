/**
 * All tools of a service, by name.
 *
 * @module
 */
import type { McpHost } from "./host.ts";
import { requestTools } from "./request-tools.ts";
import type { Tool } from "./tool.ts";
import { websocketTools } from "./websocket-tools.ts";

/** @param host Its contract has been checked by `checkToolNames`. */
export function toolsOf(host: McpHost): ReadonlyMap<string, Tool> {
  return new Map([...requestTools(host), ...websocketTools(host)].map((tool) => [tool.listing.name, tool]));
}
