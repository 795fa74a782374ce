import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { sessionBuddy } from "../../../services/session-buddy/contract.ts";

describe("sessionBuddy", () => {
  test("converts to JSON Schemas of type object, for tools", () => {
    for (const { input, output, description } of Object.values(sessionBuddy.requests)) {
      expect(description).not.toBe("");
      expect(toJsonSchema(input, { typeMode: "input" })).toMatchObject({ type: "object" });
      expect(toJsonSchema(output, { typeMode: "input" })).toMatchObject({ type: "object" });
    }
    for (const { data } of Object.values(sessionBuddy.events)) {
      expect(toJsonSchema(data, { typeMode: "input" })).toMatchObject({ type: "object" });
    }
  });

  test("has a description for every field of a request", () => {
    for (const [name, { input }] of Object.entries(sessionBuddy.requests)) {
      const { properties = {} } = toJsonSchema(input, { typeMode: "input" });
      for (const [field, schema] of Object.entries(properties)) {
        expect(JSON.stringify(schema), `${name}.${field}`).toContain('"description"');
      }
    }
  });

  test("lets reads query and asks for write where state changes", () => {
    const reads = Object.entries(sessionBuddy.requests).filter(([, { access }]) => access === "read");
    expect(reads.map(([name]) => name).sort()).toEqual([
      "get_checkpoint",
      "get_knowledge",
      "get_session",
      "list_checkpoints",
      "list_sessions",
      "query_graph",
      "search_knowledge",
    ]);
  });

  test("has no pattern that a validator of another language could fail on", () => {
    const patterns = Object.values(sessionBuddy.requests).flatMap(({ input }) =>
      JSON.stringify(toJsonSchema(input, { typeMode: "input" })).match(/"pattern":"[^"]*"/g) ?? []
    );
    expect([...new Set(patterns)]).toEqual([JSON.stringify({ pattern: "\\S" }).slice(1, -1)]);
  });

  test("takes null for every optional field, and ignores fields that it does not know", () => {
    const { input } = sessionBuddy.requests.start_session;
    const nulls = { session_id: null, working_directory: null, user: null, context: null };
    expect(v.parse(input, { project: "p", ...nulls, surprise: 1 })).toEqual({ project: "p", ...nulls });
  });
});
