/**
 * What the fields of contracts are made of, so that services say the same thing in the same words.
 *
 * @module
 */
import * as v from "valibot";
import type { JsonObject } from "./json.ts";

/** Rows of a list where its caller says nothing, and at most. */
export const DEFAULT_LIST_LIMIT = 50;
export const MAX_LIST_LIMIT = 200;

/**
 * `v.string()`, to whoever converts it too, but for the character NUL, at which some databases end a text, and halves of
 * characters, which none can store: two texts would become one.
 */
function storableString(): v.StringSchema<undefined> {
  const plain = v.string();
  return v._standardSchema({
    ...plain,
    "~run"(dataset, config) {
      const { value } = dataset;
      if (typeof value !== "string") return plain["~run"](dataset, config);
      const fault = value.includes("\0")
        ? "the character NUL"
        : value.isWellFormed()
        ? null
        : "half a character";
      if (fault === null) return { typed: true, value };
      v._addIssue(this, "type", dataset, config, {
        expected: `text without ${fault}`,
        received: "text with it",
      });
      return dataset as unknown as v.FailureDataset<v.StringIssue>;
    },
  });
}

/** A string of `min` to `max` UTF-16 units, without the character NUL or half characters. */
export const text = (min: number, max: number, description: string) =>
  v.pipe(storableString(), v.minLength(min), v.maxLength(max), v.description(description));

/** A string of any length, for what we say ourselves. */
export const told = (description: string) => v.pipe(v.string(), v.description(description));

export const number = (description: string) => v.pipe(v.number(), v.description(description));

export const between = (min: number, max: number, description: string) =>
  v.pipe(v.number(), v.minValue(min), v.maxValue(max), v.description(description));

export const whole = (min: number, max: number, description: string) =>
  v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max), v.description(description));

export const count = (description: string) =>
  v.pipe(v.number(), v.integer(), v.minValue(0), v.description(description));

export const flag = (description: string) => v.pipe(v.boolean(), v.description(description));

export const time = (description: string) => told(`${description}; UTC, ISO 8601`);

export const limit = (most: number = MAX_LIST_LIMIT, usual: number = DEFAULT_LIST_LIMIT) =>
  whole(1, most, `At most so many, 1 to ${most}; ${usual} where it is left out`);

export const cursor = text(1, 100, "`next_cursor` of the page before");

export const nextCursor = v.pipe(v.nullable(v.string()), v.description("Null at the end"));

/**
 * A JSON object with any keys. It is `v.record(v.string(), v.unknown())`, to whoever converts it to JSON Schema too,
 * but for one thing: a record drops the keys `__proto__`, `prototype` and `constructor`, and this hands the object on
 * as it came.
 */
export function jsonObject(): v.GenericSchema<JsonObject> {
  const record = v.record(v.string(), v.unknown());
  const schema = v._standardSchema(
    {
      ...record,
      "~run"(dataset, config) {
        const { value } = dataset;
        if (typeof value === "object" && value !== null && !Array.isArray(value)) {
          return { typed: true, value: value as Record<string, unknown> };
        }
        v._addIssue(this, "type", dataset, config);
        return dataset as unknown as v.FailureDataset<v.RecordIssue>;
      },
    } as typeof record,
  );
  // What comes over the wire was JSON, which a schema of `unknown` members cannot say.
  return schema as unknown as v.GenericSchema<JsonObject>;
}
