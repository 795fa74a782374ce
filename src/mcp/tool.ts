/**
 * What a tool is, in words of its own: the MCP package is not needed to make one or to call it.
 *
 * @module
 */
import type { Identity } from "../ports/call.ts";
import type { JsonObject } from "../protocol/json.ts";

/** JSON Schema of an object. */
export interface ObjectSchema {
  readonly type: "object";
  readonly [keyword: string]: unknown;
}

/** Hints for clients that ask their user before a call. Each is true of the tool, whatever its arguments. */
export interface ToolAnnotations {
  /** It changes nothing. */
  readonly readOnlyHint: boolean;
  /** It may change or end what is there, and not only add to it. */
  readonly destructiveHint: boolean;
  /** The same call again has no further effect. */
  readonly idempotentHint: boolean;
  /** It reaches outside of the service. Absent where nothing is known, which clients take for true. */
  readonly openWorldHint?: boolean;
}

/** Of a tool that only looks at what the service has. */
export const LOOKS: ToolAnnotations = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
};

/** One entry of the answer to `tools/list`. */
export interface ToolListing {
  readonly name: string;
  /** For people. Default: the name. */
  readonly title?: string;
  readonly description: string;
  readonly inputSchema: ObjectSchema;
  /** Of the structured content of every answer that is no error. */
  readonly outputSchema: ObjectSchema;
  readonly annotations: ToolAnnotations;
}

/** Who calls a tool. */
export interface Caller {
  readonly identity: Identity;
  /** What tells anonymous callers apart, as far as anything does; null for nothing. */
  readonly origin: string | null;
}

/** What a call has besides its arguments: the line to the client that made it. */
export interface ToolContext {
  /** The client has cancelled the call, or is gone. */
  readonly signal: AbortSignal;
  /**
   * Tell the client how far the call is; null where it did not ask to be told. Never rejects.
   *
   * @param done grows with each call
   * @param total what `done` will be in the end, where that is known
   */
  readonly progress: ((done: number, total?: number, message?: string) => Promise<void>) | null;
  /** Trace context that the call came with: see `readTraceparent`. */
  readonly traceparent?: string | undefined;
  /** The MCP package's own view of the call, for tools that ask the client something; null outside of it. */
  readonly extra: unknown;
}

/** Content in any of the forms that MCP knows: text, images, audio, links to resources. */
export interface ToolContent {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface ToolResult {
  readonly content: readonly ToolContent[];
  /** What the text says, as data. Absent from errors. */
  readonly structuredContent?: Readonly<Record<string, unknown>>;
  readonly isError?: boolean;
  /** `error_code` and `retryable` of an error; `traceparent` of a call that came with one. */
  readonly _meta?: Readonly<Record<string, unknown>>;
}

export interface Tool {
  readonly listing: ToolListing;
  /** May throw or reject: whoever calls it answers for faults. */
  call(data: JsonObject, caller: Caller, context: ToolContext): ToolResult | Promise<ToolResult>;
}
