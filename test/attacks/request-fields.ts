/**
 * The requests of a contract by their fields, and what stands in the others while one is attacked.
 *
 * @module
 */
import { toJsonSchema } from "@valibot/to-json-schema";
import type { Contract, DataSchema } from "../../src/protocol/contract.ts";

/** What is used of a JSON Schema. */
interface Field {
  readonly type?: string;
  readonly anyOf?: readonly Field[];
  readonly items?: Field;
  readonly properties?: Readonly<Record<string, Field>>;
  readonly required?: readonly string[];
}

export interface RequestFields {
  readonly request: string;
  readonly required: readonly string[];
  /** By name; `texts` for a list of text. */
  readonly fields: Readonly<Record<string, "text" | "texts" | "object" | "other">>;
  /** Names of all fields, those within others included. */
  readonly names: readonly string[];
}

export function requestsOf({ requests }: Pick<Contract, "requests">): RequestFields[] {
  return Object.entries(requests).map(([request, { input }]) => {
    const { properties = {}, required = [] } = toJsonSchema(input as DataSchema, {
      typeMode: "input",
      errorMode: "ignore",
    }) as Field;
    const fields = Object.fromEntries(
      Object.entries(properties).map(([name, field]) => [name, shapeOf(field)]),
    );
    return { request, required, fields, names: namesIn({ properties }) };
  });
}

/** Requests that the protocol itself answers, with the fields in which they take anything. */
export const COMMON_REQUESTS: readonly RequestFields[] = [
  ...["subscribe", "get_history", "get_presence"].map((request): RequestFields => ({
    request,
    required: ["channel"],
    fields: { channel: "text" },
    names: ["channel"],
  })),
  {
    request: "publish",
    required: ["event"],
    fields: { event: "text", channel: "text", data: "object" },
    names: ["event", "channel", "data"],
  },
];

function shapeOf(field: Field): "text" | "texts" | "object" | "other" {
  const forms = [field, ...field.anyOf ?? []];
  if (forms.some(({ type }) => type === "string")) return "text";
  if (forms.some(({ type, items }) => type === "array" && items && shapeOf(items) === "text")) return "texts";
  return forms.some(({ type }) => type === "object") ? "object" : "other";
}

function namesIn({ properties = {}, items, anyOf = [] }: Field): string[] {
  const below = [...Object.values(properties), ...items ? [items] : [], ...anyOf];
  return [...Object.keys(properties), ...below.flatMap(namesIn)];
}

/** Values that a service takes. Ids are of things that the attacks have made. */
const GOOD: Readonly<Record<string, unknown>> = {
  channel: "global",
  event: "system.announcement",
  session_id: "attacked",
  context: {},
  kind: "decision",
  content: "text",
  query: "text",
  entity: "thing",
  checkpoint_id: "none",
  knowledge_id: "none",
  project: "shop",
  run_id: "none",
  definition: "good",
  workflow_id: "none",
  stage_name: "one",
  pool_id: "default",
  observations: [{ metric: "attacks", value: 1 }],
  domain: "a",
  key: "b",
  provider: "c",
  version: "1",
  adapter_id: "a:b:c",
  targets: ["shelf"],
  target: "client:none",
  distribution_id: "none",
  sha256: "a".repeat(64),
  diagram_id: "attacked",
  elements: [],
  user_id: "intruder",
  position: { x: 1, y: 1 },
};

/** Data with which a request has all that it must have. */
export function goodData({ request, required }: RequestFields): Record<string, unknown> {
  const missing = required.filter((name) => !(name in GOOD));
  if (missing.length > 0) {
    throw new Error(`Expected a good value for ${missing.join(", ")} of ${request}: add it`);
  }
  return Object.fromEntries(required.map((name) => [name, GOOD[name]]));
}
