/**
 * Prompts, as one MCP session sees them.
 *
 * @module
 */
import { RPC, RpcRefusal } from "./failure.ts";
import { PromptError, type PromptProvider } from "./prompts.ts";
import {
  GetPromptRequestSchema,
  type GetPromptResult,
  ListPromptsRequestSchema,
  type ListPromptsResult,
  type Server,
} from "./sdk.ts";

export function offerPrompts(server: Server, prompts: PromptProvider): void {
  const listing = { prompts: prompts.list() } as unknown as ListPromptsResult;
  server.setRequestHandler(ListPromptsRequestSchema, () => listing);
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => {
    try {
      return prompts.get(params.name, params.arguments ?? {}) as unknown as GetPromptResult;
    } catch (error) {
      if (error instanceof PromptError) throw new RpcRefusal(RPC.INVALID_PARAMS, error.message);
      throw error;
    }
  });
}
