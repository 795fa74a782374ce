import * as fc from "fast-check";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { explainIssues } from "../../src/service/issues.ts";

function explain(schema: v.GenericSchema, data: unknown): string {
  const result = v.safeParse(schema, data, { abortPipeEarly: true });
  if (result.success) throw new Error("Expected a failure");
  return explainIssues("r", result.issues).replace("Invalid data for r: ", "");
}

const field = (schema: v.GenericSchema, input: unknown) =>
  explain(v.object({ f: schema }) as v.GenericSchema, input === undefined ? {} : { f: input }).replace(
    "f: ",
    "",
  );

describe("explainIssues", () => {
  test.each<[v.GenericSchema, unknown, string]>([
    [v.string(), undefined, "expected a value, got nothing"],
    [v.string(), 5, "expected text, got 5"],
    [v.string(), null, "expected text, got null"],
    [v.number(), "abc", "expected a number, got 'abc'"],
    [v.boolean(), [1, 2], "expected true or false, got an array of 2"],
    [v.array(v.string()), {}, "expected an array, got an object"],
    [v.object({}), "x", "expected an object, got 'x'"],
    [v.picklist(["a", "b"]), "c", "expected 'a' or 'b', got 'c'"],
    [v.literal("a"), "c", "expected 'a', got 'c'"],
    [v.union([v.string(), v.number()]), true, "expected text or a number, got true"],
    [v.nullable(v.string()), 5, "expected text, got 5"],
    [v.pipe(v.string(), v.minLength(3)), "ab", "expected at least 3 characters, got 'ab'"],
    [
      v.pipe(v.string(), v.maxLength(3)),
      "x".repeat(50),
      "expected at most 3 characters, got text of 50 characters",
    ],
    [v.pipe(v.array(v.number()), v.minLength(1)), [], "expected at least 1 item, got an array of 0"],
    [v.pipe(v.string(), v.nonEmpty()), "", "expected text that is not empty, got ''"],
    [v.pipe(v.number(), v.minValue(0)), -1, "expected at least 0, got -1"],
    [v.pipe(v.number(), v.maxValue(1)), 2, "expected at most 1, got 2"],
    [v.pipe(v.number(), v.integer()), 1.5, "expected a whole number, got 1.5"],
    [v.pipe(v.number(), v.safeInteger()), 1e300, "expected a whole number, got 1e+300"],
    [v.pipe(v.string(), v.regex(/^a+$/)), "b", "expected text like /^a+$/, got 'b'"],
    [v.pipe(v.string(), v.email()), "b", "invalid email, got 'b'"],
    [v.pipe(v.string(), v.check(() => false)), "s".repeat(99), "invalid input, got text of 99 characters"],
    [v.pipe(v.string(), v.check(() => false, "Say when")), "s", "say when"],
    [v.pipe(v.string(), v.minLength(3, "Say more")), "s", "say more"],
    [v.number(), 10n ** 400n, "expected a number, got a very large number"],
    [v.string(), 7n, "expected text, got 7"],
  ])("explainIssues names what was expected and what came (%#)", (schema, input, expected) => {
    expect(field(schema, input)).toBe(expected);
  });

  test("explainIssues names nested fields, and counts what it does not show", () => {
    const schema = v.object({ list: v.array(v.object({ n: v.number() })) });
    const list = ["a", 1, "b", "c", "d", "e"].map((n) => ({ n }));
    expect(explain(schema as v.GenericSchema, { list })).toBe(
      "list.0.n: expected a number, got 'a'; list.2.n: expected a number, got 'b'; " +
        "list.3.n: expected a number, got 'c'; and 2 more",
    );
  });

  test("explainIssues names a field that a strict schema does not have", () => {
    expect(explain(v.strictObject({}) as v.GenericSchema, { extra: 1 })).toBe("extra: no such field");
  });

  test("explainIssues never shows more than 40 characters of what came", () => {
    const schemas: v.GenericSchema[] = [
      v.number(),
      v.picklist(["a"]),
      v.pipe(v.string(), v.maxLength(2)),
      v.pipe(v.string(), v.email()),
      v.pipe(v.string(), v.check(() => false)),
      v.union([v.number(), v.pipe(v.string(), v.regex(/^x$/))]),
      v.record(v.string(), v.number()),
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...schemas),
        fc.string({ minLength: 41, maxLength: 2_000 }),
        (schema, text) => {
          const message = field(schema, text);
          expect(message.length).toBeLessThan(100);
          if (!/^(.)\1*$/s.test(text)) expect(message).not.toContain(text);
        },
      ),
    );
    const key = "k".repeat(10_000);
    expect(explain(v.strictObject({}) as v.GenericSchema, { [key]: 1 }).length).toBeLessThan(120);
  });
});
