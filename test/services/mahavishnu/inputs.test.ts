import { expect, test } from "vitest";
import { checkedInputs, environmentOf } from "../../../services/mahavishnu/domain/inputs.ts";
import { Refusal } from "../../../src/protocol/errors.ts";

function refusal(given: Record<string, string | number | boolean>): string {
  try {
    checkedInputs(given);
  } catch (error) {
    if (error instanceof Refusal) return `${error.code} ${error.message}`;
    throw error;
  }
  return "was not refused";
}

test("inputs become environment variables, numbers and truth values as they are written", () => {
  const inputs = checkedInputs({ branch: "main; $(rm -rf /)", depth: 3, dry_run: false, empty: "" });
  expect(environmentOf(inputs)).toEqual({
    INPUT_BRANCH: "main; $(rm -rf /)",
    INPUT_DEPTH: "3",
    INPUT_DRY_RUN: "false",
    INPUT_EMPTY: "",
  });
});

test("half a surrogate pair is shown as what cannot be shown", () => {
  expect(checkedInputs({ text: "a\ud800b" })).toEqual({ text: "a\ufffdb" });
});

test.each([["", "''"], ["with blank", "'with blank'"], ["PATH=x", "'PATH=x'"], ["1st", "'1st'"], [
  "ü",
  "'ü'",
]])(
  "an input may not be called %j",
  (name, told) => {
    expect(refusal({ [name]: "x" })).toBe(
      `INVALID_DATA Invalid field 'inputs': ${told}: expected names of letters, digits and _, at most 64`,
    );
  },
);

test("two inputs may not become one variable", () => {
  expect(refusal({ branch: "a", BRANCH: "b" })).toBe(
    "INVALID_DATA Invalid field 'inputs': 'BRANCH' and 'branch' would be one variable, INPUT_BRANCH",
  );
});

test("an input may not hold the character NUL, which no environment can", () => {
  expect(refusal({ text: "a\0b" })).toMatch(/^INVALID_DATA Invalid field 'inputs': 'text': expected .*NUL$/);
});

test("100 inputs of 65536 characters in all are the most", () => {
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`i${index}`, index]));
  expect(refusal(many(100))).toBe("was not refused");
  expect(refusal(many(101))).toMatch(/^INVALID_DATA .*at most 100 inputs and 65536 characters, got 101 and/);
  expect(refusal({ a: "x".repeat(65_535) })).toBe("was not refused");
  expect(refusal({ a: "x".repeat(65_536) })).toMatch(/got 1 and 65537$/);
});
