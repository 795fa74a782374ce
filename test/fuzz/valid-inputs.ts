/**
 * Inputs of requests as their schemas want them, with ids of things that exist where that is known: what is hostile
 * gets further into a service when all around it is right.
 *
 * @module
 */
import type { Loose, LooseObject } from "./loose-json.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** What is used of a JSON Schema. */
export interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly enum?: readonly Loose[];
  readonly const?: Loose;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** Values that were seen for a field, so that requests name things that exist. */
export class Known {
  readonly #values: Map<string, string[]>;

  constructor(values: Readonly<Record<string, readonly string[]>>) {
    this.#values = new Map(Object.entries(values).map(([name, list]) => [name, [...list]]));
  }

  of(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** Remember the ids, cursors and sums of an answer. */
  learn(data: Readonly<Record<string, unknown>>): void {
    for (const [key, value] of Object.entries(data)) {
      if (Array.isArray(value)) {
        for (const item of value.slice(0, 2)) if (isRecord(item)) this.learn(item);
      } else if (isRecord(value)) this.learn(value);
      if (typeof value !== "string" || value.length > 250) continue;
      const name = key === "next_cursor" ? "cursor" : key;
      if (!/_id$|^(cursor|sha256|epoch|version)$/.test(name)) continue;
      const list = this.#values.get(name) ?? [];
      if (list.includes(value)) continue;
      list.push(value);
      // The newest; those that came first stay, they are the fixed ones.
      if (list.length > 40) list.splice(20, 1);
      this.#values.set(name, list);
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const WORDS = [
  "alpha",
  "beta",
  "note",
  "shop",
  "a",
  "Ünïcode",
  "manual_checkpoint",
  "1.2.0",
  "storage",
  "foo-bar",
];

export function validInput(schema: JsonSchema, random: SeededRandom, known: Known): LooseObject {
  return objectOf(schema, random, known, 0);
}

function objectOf(schema: JsonSchema, random: SeededRandom, known: Known, depth: number): LooseObject {
  const required = new Set(schema.required);
  const given = Object.entries(schema.properties ?? {})
    .filter(([name]) => required.has(name) || random.chance(0.5));
  const own = given.map((
    [name, member],
  ) => [name, valueOf(member, random, known, { name, depth: depth + 1 })]);
  const any = schema.properties ? [] : anyMembers(schema.additionalProperties, random, known, depth);
  return Object.fromEntries([...own, ...any]);
}

function anyMembers(
  schema: JsonSchema | boolean | undefined,
  random: SeededRandom,
  known: Known,
  depth: number,
): [string, Loose][] {
  const member = (name: string) =>
    typeof schema === "object"
      ? valueOf(schema, random, known, { name, depth: depth + 1 })
      : plainValue(random);
  return Array.from({ length: random.below(4) }, () => random.pick(WORDS.slice(0, 5))).map((
    name,
  ) => [name, member(name)]);
}

function plainValue(random: SeededRandom): Loose {
  return random.pick<Loose>([null, true, 1, -2.5, "text", [], {}, { a: null }, ["x", 1], { a: { b: [1] } }]);
}

function valueOf(
  schema: JsonSchema,
  random: SeededRandom,
  known: Known,
  place: { readonly name: string; readonly depth: number },
): Loose {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return random.pick(schema.enum);
  const { name, depth } = place;
  if (schema.anyOf) return valueOf(random.pick(schema.anyOf), random, known, place);
  switch (schema.type) {
    case "null":
      return null;
    case "boolean":
      return random.chance(0.5);
    case "integer":
    case "number":
      return numberOf(schema, random);
    case "array":
      return Array.from(
        { length: random.below(depth > 3 ? 1 : 4) },
        () => schema.items ? valueOf(schema.items, random, known, place) : plainValue(random),
      );
    case "object":
      return name === "elements" ? element(random) : objectOf(schema, random, known, depth);
    case "string":
      return stringOf(schema, name, random, known);
    default:
      return plainValue(random);
  }
}

/** An element as Excalidraw draws it. */
function element(random: SeededRandom): LooseObject {
  return {
    id: `e${random.below(30)}`,
    type: random.pick(["rectangle", "text", "arrow"]),
    version: random.below(1_000),
    versionNonce: random.below(1_000_000),
    isDeleted: random.chance(0.2),
    x: random.below(100),
    y: random.below(100),
    boundElements: random.pick<Loose>([null, [], [{ id: "e1", type: "arrow" }]]),
  };
}

function numberOf(schema: JsonSchema, random: SeededRandom): number {
  const { minimum = 0, maximum = Math.max(minimum, 100) } = schema;
  const span = Math.min(maximum - minimum, 1_000);
  const value = minimum + random.next() * span;
  return schema.type === "integer" || random.chance(0.3) ? Math.floor(value) : value;
}

function stringOf(schema: JsonSchema, name: string, random: SeededRandom, known: Known): string {
  const list = known.of(name);
  if (list.length > 0 && random.chance(0.9)) return random.pick(list);
  const word = random.pick(WORDS);
  return word.padEnd(schema.minLength ?? 0, "x").slice(0, schema.maxLength ?? 1_000);
}
