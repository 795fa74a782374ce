/**
 * Prompts of a contract.
 *
 * @module
 */
import type { Contract } from "../protocol/contract.ts";

export interface PromptArgument {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
}

export interface PromptListing {
  readonly name: string;
  readonly title?: string;
  readonly description: string;
  readonly arguments: readonly PromptArgument[];
}

/** What a prompt gives: MCP messages. */
export interface PromptAnswer {
  readonly description?: string;
  readonly messages: readonly {
    readonly role: "user" | "assistant";
    readonly content: { readonly type: string; readonly [field: string]: unknown };
  }[];
}

/** A refusal that the client is told as invalid parameters. */
export class PromptError extends Error {
  override readonly name = "PromptError";
}

export interface PromptProvider {
  list(): readonly PromptListing[];
  /** @throws PromptError */
  get(name: string, args: Readonly<Record<string, string>>): PromptAnswer;
  /** The channel kind whose ids complete an argument; undefined for none, null where there is no such argument. */
  kindOf(name: string, argument: string): string | undefined | null;
}

export function promptsOf(_contract: Contract): PromptProvider | null {
  return null;
}
