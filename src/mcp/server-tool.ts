/**
 * Tools that the server answers by itself. Permission and arguments are checked as the dispatch checks a request's.
 *
 * @module
 */
import * as v from "valibot";
import type { Access, DataSchema } from "../protocol/contract.ts";
import { explainIssues } from "../service/issues.ts";
import type { McpHost } from "./host.ts";
import { refused } from "./tool-result.ts";
import { argumentsSchema, objectSchema } from "./tool-schema.ts";
import type { Caller, Tool, ToolAnnotations, ToolContext, ToolResult } from "./tool.ts";

export interface ServerToolSpec<Input extends DataSchema> {
  readonly name: string;
  readonly description: string;
  readonly access: Access;
  readonly input: Input;
  readonly output: DataSchema;
  readonly annotations: ToolAnnotations;
  readonly answer: (
    input: v.InferOutput<Input>,
    caller: Caller,
    context: ToolContext,
  ) => ToolResult | Promise<ToolResult>;
}

export function serverTool<Input extends DataSchema>(host: McpHost, spec: ServerToolSpec<Input>): Tool {
  const { name, description, access, annotations } = spec;
  return {
    listing: {
      name,
      description,
      inputSchema: argumentsSchema(spec.input),
      outputSchema: objectSchema(spec.output),
      annotations,
    },
    call(data, caller, context) {
      if (!host.mayAccess(caller.identity, access)) {
        return refused("FORBIDDEN", `Not authorized to ${name}: needs ${host.contract.name}:${access}`);
      }
      const parsed = v.safeParse(spec.input, data);
      if (!parsed.success) return refused("INVALID_DATA", explainIssues(name, parsed.issues));
      return spec.answer(parsed.output, caller, context);
    },
  };
}
