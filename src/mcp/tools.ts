/**
 * All tools of a service, by name.
 *
 * @module
 */
import type { McpHost } from "./host.ts";
import { readEventsTool } from "./read-events.ts";
import { ReadingTurns } from "./reading-turns.ts";
import { requestTools } from "./request-tools.ts";
import type { Tool } from "./tool.ts";
import { waitForEventTool } from "./wait-for-event.ts";
import { WaitPlaces } from "./wait-places.ts";
import { websocketTools } from "./websocket-tools.ts";

/** @param host Its contract has been checked by `checkToolNames`. */
export function toolsOf(host: McpHost): ReadonlyMap<string, Tool> {
  const turns = new ReadingTurns(host.clock);
  const tools = [
    ...requestTools(host),
    waitForEventTool(host, { places: new WaitPlaces(), turns }),
    readEventsTool(host, turns),
    ...websocketTools(host),
  ];
  return new Map(tools.map((tool) => [tool.listing.name, tool]));
}
