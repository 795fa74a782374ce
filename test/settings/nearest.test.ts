import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { editDistance, nearest } from "../../src/settings/nearest.ts";

describe("editDistance", () => {
  test.each([["", "", 0], ["port", "port", 0], ["prot", "port", 1], ["por", "port", 1], ["", "abc", 3], [
    "kitten",
    "sitting",
    3,
  ]])(
    "from %j to %j is %i",
    (a, b, steps) => expect(editDistance(a, b)).toBe(steps),
  );

  test("is the same both ways and never more than the longer word", () => {
    const word = fc.string({ maxLength: 12 });
    fc.assert(fc.property(word, word, (a, b) => {
      const steps = editDistance(a, b);
      return steps === editDistance(b, a) && steps <= Math.max(a.length, b.length) &&
        (steps === 0) === (a === b);
    }));
  });
});

describe("nearest", () => {
  test("finds the closest word, whatever the case, and nothing where all are far", () => {
    expect(nearest("Prot", ["host", "port"])).toBe("port");
    expect(nearest("zzzz", ["host", "port"])).toBeUndefined();
    expect(nearest("p".repeat(1_000), ["port"])).toBeUndefined();
  });
});
