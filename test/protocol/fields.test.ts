import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { jsonObject, text } from "../../src/protocol/fields.ts";

describe("jsonObject", () => {
  test("hands on keys that a record drops, and refuses what is no object", () => {
    const schema = v.object({ context: v.pipe(jsonObject(), v.description("any")) });
    const context = JSON.parse('{"__proto__":1,"constructor":2,"prototype":3}');
    expect(Object.entries(v.parse(schema, { context }).context)).toEqual(Object.entries(context));
    for (const context of [[], null, "x", 1, undefined]) {
      const result = v.safeParse(schema, { context });
      expect(result.success).toBe(false);
      expect(result.issues?.[0]?.path?.[0]?.key).toBe("context");
    }
    expect(schema.entries.context["~standard"].validate({})).toEqual({ typed: true, value: {} });
  });
});

describe("text", () => {
  test("is without the character NUL, where some databases would end it", () => {
    const field = text(1, 10, "A name");
    expect(v.is(field, "a\nb")).toBe(true);
    const [issue] = v.safeParse(v.object({ name: field }), { name: "a\0b" }).issues!;
    expect(issue.message).toBe(
      "Invalid type: Expected text without the character NUL but received text with it",
    );
    expect(v.is(field, "a\ud800")).toBe(false);
    expect(v.is(field, "\u{1f600}")).toBe(true);
    expect(v.is(field, 5)).toBe(false);
  });
});
