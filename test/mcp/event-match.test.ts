import { describe, expect, test } from "vitest";
import { conditionsOf, isWanted, type Match } from "../../src/mcp/event-match.ts";
import type { JsonObject } from "../../src/protocol/json.ts";

const data: JsonObject = {
  n: 5,
  text: "a",
  none: null,
  flag: false,
  list: [1],
  huge: 9007199254740993n,
  even: 9007199254740992n,
  error: { code: 7, at: { line: 3 } },
};
const fits = (match: Match) => isWanted({ event: "x", data }, null, conditionsOf(match));

describe("isWanted()", () => {
  test("asks for the name where there are names, and for nothing where there is nothing", () => {
    expect(isWanted({ event: "x", data }, null, null)).toBe(true);
    expect(isWanted({ event: "x", data }, new Set(["y", "x"]), null)).toBe(true);
    expect(isWanted({ event: "x", data }, new Set(["y"]), null)).toBe(false);
    expect(isWanted({ event: "x", data }, new Set(["y"]), conditionsOf({ n: 5 }))).toBe(false);
  });

  test("wants every field to be equal in type and value, or one of a list", () => {
    expect(fits({ n: 5, text: "a", none: null, flag: false })).toBe(true);
    expect(fits({ n: 5, text: "b" })).toBe(false);
    expect(fits({ n: "5" })).toBe(false);
    expect(fits({ flag: 0 })).toBe(false);
    expect(fits({ text: ["b", "a"], n: [1, 5] })).toBe(true);
    expect(fits({ text: ["b", null] })).toBe(false);
  });

  test("goes down into objects by dots, and nowhere else", () => {
    expect(fits({ "error.code": 7, "error.at.line": [2, 3] })).toBe(true);
    expect(fits({ "error.code": 8 })).toBe(false);
    expect(fits({ "error.at": 7 })).toBe(false);
    expect(fits({ "list.0": 1 })).toBe(false);
    expect(fits({ "text.length": 1 })).toBe(false);
  });

  test("takes no field that is not there, whatever objects have by themselves", () => {
    expect(fits({ missing: null })).toBe(false);
    expect(fits({ "error.missing": [null] })).toBe(false);
    expect(fits({ "constructor.name": "Object" })).toBe(false);
    expect(fits({ __proto__: null } as Match)).toBe(true);
  });

  test("compares integers beyond 2^53 exactly", () => {
    expect(fits({ even: 9007199254740992 })).toBe(true);
    expect(fits({ huge: 9007199254740992 })).toBe(false);
    expect(fits({ even: 0.5 })).toBe(false);
  });
});
