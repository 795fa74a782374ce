import { describe, expect, test } from "vitest";
import { searchExpression } from "../../../../services/session-buddy/domain/search-terms.ts";

describe("searchExpression", () => {
  test.each([
    ["deploy failed", '"deploy" OR "failed"'],
    ['say "hello" AND NEAR(x)', '"say" OR """hello""" OR "AND" OR "NEAR(x)"'],
    ["twice twice", '"twice"'],
    ["foo-bar  content:*", '"foo-bar" OR "content:*"'],
    ["zero\0byte", '"zero" OR "byte"'],
  ])("of %j is %s", (query, expression) => {
    expect(searchExpression(query)).toBe(expression);
  });

  test.each(["", "   ", '"', "* - ^ ()", "\ud800"])("of %j, which has no word, is null", (query) => {
    expect(searchExpression(query)).toBeNull();
  });

  test("has at most 32 terms", () => {
    const query = Array.from({ length: 500 }, (_, index) => `w${index}`).join(" ");
    expect(searchExpression(query)?.split(" OR ")).toHaveLength(32);
  });
});
