/**
 * All that a server offers to MCP clients.
 *
 * @module
 */
import type { McpHost } from "./host.ts";
import { type PromptProvider, promptsOf } from "./prompts.ts";
import type { ResourceProvider } from "./resource.ts";
import { resourcesOf } from "./resources.ts";
import type { Tool } from "./tool.ts";
import { toolsOf } from "./tools.ts";

export interface Catalog {
  readonly tools: ReadonlyMap<string, Tool>;
  /** Null for a server without. */
  readonly resources: ResourceProvider | null;
  readonly prompts: PromptProvider | null;
}

export function catalogOf(host: McpHost): Catalog {
  return { tools: toolsOf(host), resources: resourcesOf(host), prompts: promptsOf(host.contract) };
}
