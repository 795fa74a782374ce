/**
 * Schemas of the contract as JSON Schema, as MCP wants them: an object at the top.
 *
 * @module
 */
import { toJsonSchema } from "@valibot/to-json-schema";
import type { DataSchema } from "../protocol/contract.ts";
import { MAX_KEY_LENGTH } from "../service/idempotency.ts";
import type { ObjectSchema } from "./tool.ts";

const IDEMPOTENCY_KEY = {
  type: "string",
  minLength: 1,
  maxLength: MAX_KEY_LENGTH,
  description:
    "Makes repeating the call safe: the same key with the same arguments is done once and answered as the " +
    "first time. Best a UUID.",
};

/**
 * What somebody who writes the value needs to know. Rules that JSON Schema cannot say are left out; valibot checks them
 * when the tool is called.
 */
export function objectSchema(schema: DataSchema): ObjectSchema {
  // `input`: what a caller sends, and what a handler returns, is what stands before defaults and transformations.
  const converted = toJsonSchema(schema, { typeMode: "input", errorMode: "ignore" });
  return { ...converted, type: "object" };
}

/** The same with the optional argument `idempotency_key`, which the dispatch takes out of the data. */
export function withIdempotencyKey(schema: ObjectSchema): ObjectSchema {
  const properties = (schema.properties ?? {}) as Record<string, unknown>;
  return { ...schema, properties: { ...properties, idempotency_key: IDEMPOTENCY_KEY } };
}
