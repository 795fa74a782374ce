/**
 * What resources are, in words of their own: the MCP package is not needed to make one.
 *
 * @module
 */
import type { Caller } from "./tool.ts";

export interface ResourceListing {
  readonly uri: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly mimeType?: string;
}

export interface ResourceTemplate {
  /** RFC 6570, level 1: `crackerjack://test/{run_id}`. */
  readonly uriTemplate: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly mimeType?: string;
}

export interface ResourceContents {
  readonly uri: string;
  readonly mimeType?: string;
  readonly text?: string;
  /** Base64. */
  readonly blob?: string;
}

export interface ResourcePage {
  readonly resources: readonly ResourceListing[];
  readonly nextCursor?: string;
}

/** What a client completes: an argument of a template or prompt, as far as it is typed. */
export interface Completion {
  readonly values: readonly string[];
  readonly total?: number;
  readonly hasMore?: boolean;
}

/** A refusal that the client is told as an error of the protocol. */
export class ResourceError extends Error {
  override readonly name = "ResourceError";
  /** `not_found`: there is no such resource. `invalid`: the request is wrong. `refused`: the caller may not, or not now. */
  readonly reason: "not_found" | "invalid" | "refused";

  constructor(reason: ResourceError["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface ResourceProvider {
  /** A page of what there is. @throws ResourceError */
  list(caller: Caller, cursor?: string): ResourcePage | Promise<ResourcePage>;
  templates(caller: Caller): readonly ResourceTemplate[];
  /** @throws ResourceError */
  read(uri: string, caller: Caller): readonly ResourceContents[] | Promise<readonly ResourceContents[]>;
  /**
   * Hear of changes of a resource: at once, and then not more often than the provider merges them.
   *
   * @param updated Given the trace context of what changed it, where that has one.
   * @returns the way to stop; harmless twice
   * @throws ResourceError
   */
  subscribe(uri: string, caller: Caller, updated: (traceparent?: string) => void): () => void;
  /** Values for a variable of a template, given what is typed of it. */
  complete(uriTemplate: string, variable: string, typed: string, caller: Caller): Completion;
  /** Hear when the list may have changed. Returns the way to stop. */
  onListChanged(caller: Caller, changed: () => void): () => void;
}
