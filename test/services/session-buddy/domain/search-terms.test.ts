import { describe, expect, test } from "vitest";
import { searchExpression, searchTerms } from "../../../../services/session-buddy/domain/search-terms.ts";

describe("searchExpression", () => {
  test.each([
    ["deploy failed", '"deploy" OR "failed"'],
    ['say "hello" AND NEAR(x)', '"say" OR """hello""" OR "AND" OR "NEAR(x)"'],
    ["twice twice", '"twice"'],
    ["foo-bar  content:*", '"foo-bar" OR "content:*"'],
    ["zero\0byte", '"zero" OR "byte"'],
  ])("of %j is %s", (query, expression) => {
    expect(searchExpression(searchTerms(query))).toBe(expression);
  });

  test.each(["", "   ", '"', "* - ^ ()", "\ud800"])("of %j, which has no word, has no terms", (query) => {
    expect(searchTerms(query)).toEqual([]);
  });

  test("has at most 32 terms", () => {
    const query = Array.from({ length: 500 }, (_, index) => `w${index}`).join(" ");
    expect(searchTerms(query)).toHaveLength(32);
  });

  test("has at most 32 words in all terms", () => {
    expect(searchTerms(`a ${"b-".repeat(100)} c`)).toEqual(["a", "b-".repeat(31).slice(0, -1)]);
  });
});
