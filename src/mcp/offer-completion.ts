/**
 * Completion of what is typed for a template's variable or a prompt's argument, as one MCP session sees it.
 *
 * @module
 */
import { told } from "./offer-resources.ts";
import { callerOf } from "./offered-to.ts";
import type { PromptProvider } from "./prompts.ts";
import { type Completion, ResourceError, type ResourceProvider } from "./resource.ts";
import { CompleteRequestSchema, type CompleteResult, type Server } from "./sdk.ts";
import type { Caller } from "./tool.ts";

const NOTHING: Completion = { values: [], total: 0, hasMore: false };

interface Offered {
  readonly resources: ResourceProvider | null;
  readonly prompts: PromptProvider | null;
}

export function offerCompletion(server: Server, offered: Offered): void {
  server.setRequestHandler(CompleteRequestSchema, async ({ params: { ref, argument } }, extra) => {
    const caller = callerOf(extra);
    const completion = await told(() => {
      if (ref.type === "ref/prompt") return ofPrompt(offered, ref.name, argument, caller);
      if (offered.resources) {
        return offered.resources.complete(ref.uri, argument.name, argument.value, caller);
      }
      throw new ResourceError("invalid", "Unknown template: there are no resources");
    });
    return { completion } as unknown as CompleteResult;
  });
}

function ofPrompt(
  { resources, prompts }: Offered,
  name: string,
  argument: { readonly name: string; readonly value: string },
  caller: Caller,
): Completion {
  const kind = prompts?.kindOf(name, argument.name);
  if (kind === undefined && prompts) return NOTHING;
  if (!kind) {
    throw new ResourceError(
      "invalid",
      "Unknown prompt or argument: prompts/list names those there are",
    );
  }
  // The template of a kind has its name, and is there for who may read channels of the kind.
  const template = resources?.templates(caller).find((template) => template.name === kind);
  const variable = /\{(\w+)\}/.exec(template?.uriTemplate ?? "")?.[1];
  if (!resources || !template || variable === undefined) return NOTHING;
  return resources.complete(template.uriTemplate, variable, argument.value, caller);
}
