/**
 * Tools that the server answers by itself. Permission and arguments are checked as the dispatch checks a request's.
 *
 * @module
 */
import * as v from "valibot";
import type { Access, DataSchema } from "../protocol/contract.ts";
import { isJsonObject, type JsonValue } from "../protocol/json-value.ts";
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
      const reserved = reservedNameIn(data);
      if (reserved !== null) {
        const message = `Invalid data for ${name}: a field cannot have the name '${reserved}'`;
        return refused("INVALID_DATA", message);
      }
      const parsed = v.safeParse(spec.input, data);
      if (!parsed.success) return refused("INVALID_DATA", explainIssues(name, parsed.issues));
      return spec.answer(parsed.output, caller, context);
    },
  };
}

/** Names that a schema passes over in silence, so that less would be asked for than was said. */
const RESERVED = ["__proto__", "constructor", "prototype"];

function reservedNameIn(value: JsonValue | undefined): string | null {
  if (Array.isArray(value)) return firstOf(value, reservedNameIn);
  if (value === undefined || !isJsonObject(value)) return null;
  return RESERVED.find((name) => Object.hasOwn(value, name)) ?? firstOf(Object.values(value), reservedNameIn);
}

function firstOf<T, R>(values: readonly T[], look: (value: T) => R | null): R | null {
  for (const value of values) {
    const found = look(value);
    if (found !== null) return found;
  }
  return null;
}
