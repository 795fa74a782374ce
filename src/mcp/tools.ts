/**
 * All tools of a service, by name.
 *
 * @module
 */
import type { McpHost } from "./host.ts";
import { requestTools } from "./request-tools.ts";
import type { Tool } from "./tool.ts";
import { websocketTools } from "./websocket-tools.ts";

/** @throws {TypeError} where a request of the contract has the name of a tool that every service has. */
export function toolsOf(host: McpHost): ReadonlyMap<string, Tool> {
  const tools = new Map<string, Tool>();
  for (const tool of [...requestTools(host), ...websocketTools(host)]) {
    const { name } = tool.listing;
    if (tools.has(name)) {
      throw new TypeError(
        `Cannot offer request '${name}' of '${host.contract.name}' as a tool: every service has a tool of this name`,
      );
    }
    tools.set(name, tool);
  }
  return tools;
}
