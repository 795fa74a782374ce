import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyMergePatch, diffMergePatch } from "../../../../services/session-buddy/domain/merge-patch.ts";
import { type JsonObject, type JsonValue, parseJson } from "../../../../src/protocol/json.ts";

const json = (text: string): JsonValue => {
  const parsed = parseJson(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
};

/** Objects as a client can send them: any keys, `__proto__` among them. */
const keys = fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "toString", "a", "b", "c"));
const values = fc.letrec<{ value: JsonValue; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<JsonValue>(null, true, 0, 1, "", "x", 2n ** 70n),
    fc.array(tie("value"), { maxLength: 3 }),
    tie("object"),
  ),
  object: fc.array(fc.tuple(keys, tie("value")), { maxLength: 4 }).map((members) =>
    Object.fromEntries(members)
  ),
}));
/** What a context can be: no member is null, but for those inside arrays. */
const contexts = values.object.map((object) => applyMergePatch({}, object));

describe("applyMergePatch", () => {
  // The table of RFC 7396, appendix A: target, patch, result.
  test.each([
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', "{}"],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'],
    ['{"a":"foo"}', "null", "null"],
    ['{"a":"foo"}', '"bar"', '"bar"'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ["[1,2]", '{"a":"b","c":null}', '{"a":"b"}'],
    ["{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ])("of %s by %s is %s, as in RFC 7396", (target, patch, result) => {
    expect(applyMergePatch(json(target), json(patch))).toEqual(json(result));
  });

  test("changes neither target nor patch, and leaves no null in an object", () => {
    fc.assert(fc.property(values.object, values.object, (target, patch) => {
      const before = structuredClone([target, patch]);
      const result = applyMergePatch(applyMergePatch({}, target), patch);
      expect([target, patch]).toEqual(before);
      const clean = (value: JsonValue): boolean =>
        typeof value !== "object" || value === null || Array.isArray(value) ||
        Object.values(value).every((member) => member !== null && clean(member));
      expect(clean(result)).toBe(true);
      expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    }));
  });
});

describe("diffMergePatch", () => {
  test("turns any context into any other", () => {
    fc.assert(
      fc.property(contexts, contexts, (from, to) => {
        expect(applyMergePatch(from, diffMergePatch(from, to))).toEqual(to);
      }),
      { numRuns: 500 },
    );
  });

  test("is empty for equal contexts, and names only what differs", () => {
    fc.assert(fc.property(contexts, (context) => {
      expect(diffMergePatch(context, structuredClone(context))).toEqual({});
    }));
    expect(diffMergePatch({ a: { b: 1, c: 2 }, d: [1], e: 1 }, { a: { b: 1, c: 3 }, d: [1] })).toEqual({
      a: { c: 3 },
      e: null,
    });
  });
});
