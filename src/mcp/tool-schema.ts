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

/**
 * The same for the arguments of a tool. Those that may be left out may be null too, for clients that serialise a model;
 * that is not said, since clients that make something of a text by its argument's type, such as the MCP Inspector, do not
 * see the type behind the choice.
 */
export function argumentsSchema(schema: DataSchema): ObjectSchema {
  const converted = objectSchema(schema);
  const { properties, required = [] } = converted as {
    properties?: Readonly<Record<string, Property>>;
    required?: readonly string[];
  };
  if (!properties) return converted;
  const plain = Object.entries(properties).map(([name, property]) => {
    return [name, required.includes(name) ? property : withoutNull(property)];
  });
  return { ...converted, properties: Object.fromEntries(plain) };
}

interface Property {
  readonly anyOf?: readonly { readonly type?: unknown }[];
  readonly [keyword: string]: unknown;
}

function withoutNull(property: Property): Property {
  const { anyOf, ...rest } = property;
  const others = anyOf?.filter(({ type }) => type !== "null") ?? [];
  if (!anyOf || others.length === anyOf.length) return property;
  return others.length === 1 ? { ...others[0], ...rest } : { ...rest, anyOf: others };
}

/** The same with the optional argument `idempotency_key`, which the dispatch takes out of the data. */
export function withIdempotencyKey(schema: ObjectSchema): ObjectSchema {
  const properties = (schema.properties ?? {}) as Record<string, unknown>;
  return { ...schema, properties: { ...properties, idempotency_key: IDEMPOTENCY_KEY } };
}
