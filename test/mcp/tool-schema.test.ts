import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { argumentsSchema } from "../../src/mcp/tool-schema.ts";

describe("argumentsSchema()", () => {
  it("says the type of an argument that may be left out, and not that it may be null as well", () => {
    const limit = v.pipe(v.number(), v.integer(), v.description("At most so many"));
    expect(argumentsSchema(v.object({ limit: v.nullish(limit) }))).toMatchObject({
      properties: { limit: { type: "integer", description: "At most so many" } },
      required: [],
    });
  });

  it("keeps the description and default that stand around the choice", () => {
    const inner = v.pipe(v.string(), v.description("Inner"));
    const shape = v.object({ reason: v.pipe(v.nullish(inner, "none"), v.description("Outer")) });
    expect(argumentsSchema(shape).properties).toEqual({
      reason: { type: "string", description: "Outer", default: "none" },
    });
  });

  it("keeps a choice of several types without null among them", () => {
    const shape = v.object({ either: v.nullish(v.union([v.string(), v.number()])) });
    const { properties } = argumentsSchema(shape);
    expect(JSON.stringify(properties)).not.toContain("null");
    expect(properties).toMatchObject({ either: { anyOf: [{ type: "string" }, { type: "number" }] } });
  });

  it("keeps null where an argument must be given, and where it is all that there is", () => {
    const shape = v.object({ owner: v.nullable(v.string()), nothing: v.optional(v.null()) });
    expect(argumentsSchema(shape).properties).toEqual({
      owner: { anyOf: [{ type: "string" }, { type: "null" }] },
      nothing: { type: "null" },
    });
  });
});
