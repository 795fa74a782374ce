/**
 * Which events a caller wants: by name, and by fields of their data.
 *
 * @module
 */
import * as v from "valibot";
import type { SequencedEvent } from "../protocol/event.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../protocol/json-value.ts";

/** Names that one call may ask for. */
const MAX_NAMES = 64;
const MAX_FIELDS = 16;
/** Values of one field that one call may ask for. */
const MAX_CHOICES = 32;

/** Names of events, as a caller lists them. They are checked against the contract by whoever takes them. */
export const NamesInput = v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(MAX_NAMES));

/** UTF-16 units of a text that a field is compared with. */
const MAX_TEXT = 1_000;
const MAX_PATH = 256;

const scalars = [v.pipe(v.string(), v.maxLength(MAX_TEXT)), v.number(), v.boolean(), v.null()] as const;
const Scalar = v.union(scalars);
const Wish = v.union([...scalars, v.pipe(v.array(Scalar), v.minLength(1), v.maxLength(MAX_CHOICES))]);

/** Not empty, and no index: an array passes for a record. */
const Field = v.pipe(
  v.string(),
  v.maxLength(MAX_PATH),
  v.regex(/\D/, "expected an object of fields and their values"),
);

export const MatchInput = v.pipe(v.record(Field, Wish), v.maxEntries(MAX_FIELDS));

export type Match = v.InferOutput<typeof MatchInput>;
type Scalar = v.InferOutput<typeof Scalar>;

/** A field, taken apart once for all events, and what it must be. */
export interface Condition {
  readonly path: readonly string[];
  readonly wish: Match[string];
}

export function conditionsOf(match: Match): readonly Condition[] {
  return Object.entries(match).map(([path, wish]) => ({ path: path.split("."), wish }));
}

/** Whether an event has one of the names (null: any), and in its data all that the conditions tell (null: none). */
export function isWanted(
  { event, data }: Pick<SequencedEvent, "event" | "data">,
  names: ReadonlySet<string> | null,
  conditions: readonly Condition[] | null,
): boolean {
  if (names && !names.has(event)) return false;
  return !conditions || conditions.every(({ path, wish }) => fits(at(data, path), wish));
}

/** What stands in a field of a field; undefined for nothing. */
function at(data: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = data;
  for (const name of path) {
    if (value === undefined || !isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

function fits(value: JsonValue | undefined, wish: Match[string]): boolean {
  return Array.isArray(wish) ? wish.some((one) => isSame(value, one)) : isSame(value, wish as Scalar);
}

function isSame(value: JsonValue | undefined, wish: Scalar): boolean {
  // Whole numbers have two types here, which compare exactly.
  return value === wish ||
    (typeof value === "bigint" && typeof wish === "number" && value == (wish as unknown));
}
