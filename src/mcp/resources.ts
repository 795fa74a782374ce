/**
 * Channels as resources.
 *
 * @module
 */
import type { McpHost } from "./host.ts";
import type { ResourceProvider } from "./resource.ts";

export function resourcesOf(_host: McpHost): ResourceProvider | null {
  return null;
}
