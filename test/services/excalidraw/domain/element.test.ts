import { describe, expect, test } from "vitest";
import { checkElements } from "../../../../services/excalidraw/domain/element.ts";
import type { JsonValue } from "../../../../src/protocol/json.ts";
import { box } from "../started-manager.ts";

const nested = (levels: number): JsonValue => {
  let value: JsonValue = 1;
  for (let level = 0; level < levels; level++) value = level % 2 ? [value] : { value };
  return value;
};

describe("checkElements", () => {
  test("takes an element with id and type alone, and leaves its revision open", () => {
    const element = { id: "a", type: "rectangle" };
    expect(checkElements([element])).toEqual([
      { id: "a", version: null, nonce: null, deleted: false, element },
    ]);
  });

  test("takes nulls for what is not set, numbers of any size in fields it does not know, and any type of element", () => {
    const element = {
      ...box("a"),
      angle: null,
      text: null,
      versionNonce: null,
      seed: 2n ** 70n,
      type: "embeddable",
    };
    expect(checkElements([element])[0]).toMatchObject({ version: 1, nonce: null });
  });

  test("takes ids that are names of an object's own parts", () => {
    expect(checkElements([box("__proto__"), box("constructor")]).map(({ id }) => id)).toEqual([
      "__proto__",
      "constructor",
    ]);
  });

  test.each<[string, JsonValue, string]>([
    ["that is no object", 5, "'elements.1': expected an object, got a number"],
    ["that is null", null, "'elements.1': expected an object, got null"],
    ["that is an array", [], "'elements.1': expected an object, got an array"],
    ["without an id", { type: "text" }, "'elements.1.id': expected text of 1 to 200 characters, got nothing"],
    ["with an empty id", box(""), "elements.1.id"],
    ["with a long id", box("x".repeat(201)), "got a string of 201 characters"],
    ["with half a character in its id", box("\ud800"), "elements.1.id"],
    ["with an id that is a number", { id: 5, type: "text" }, "elements.1.id"],
    ["without a type", { id: "b" }, "elements.1.type"],
    ["with a long type", { id: "b", type: "x".repeat(65) }, "elements.1.type"],
    ["that stands twice", box("a"), "'elements.1.id': expected each element once"],
    ["with a negative version", box("b", -1), "elements.1.version': expected a whole number of at least 0"],
    ["with half a version", box("b", 1.5), "elements.1.version"],
    ["with a version that is text", { ...box("b"), version: "2" }, "elements.1.version"],
    ["with a version that is NaN", box("b", NaN), "elements.1.version"],
    ["with a version beyond doubles", { ...box("b"), version: 2n ** 60n }, "elements.1.version"],
    ["with half a nonce", { ...box("b"), versionNonce: 0.5 }, "elements.1.versionNonce"],
    ["deleted with a number", { ...box("b"), isDeleted: 1 }, "elements.1.isDeleted"],
    ["with a place that is text", { ...box("b"), x: "1" }, "elements.1.x"],
    ["with a text that is a number", { ...box("b"), text: 1 }, "elements.1.text"],
    ["with NaN for a place", { ...box("b"), x: NaN }, "'elements.1': expected finite numbers, got NaN"],
    [
      "with an endless point",
      { ...box("b"), points: [[0, -Infinity]] },
      "expected finite numbers, got -Infinity",
    ],
    ["that nests too deep", { ...box("b"), customData: nested(32) }, "expected at most 32 levels"],
  ])("refuses all for one %s, and names it", (_, element, message) => {
    expect(() => checkElements([box("a"), element])).toThrow(message);
  });

  test("takes what nests as deep as may be", () => {
    expect(checkElements([{ ...box("a"), customData: nested(31) }])).toHaveLength(1);
  });
});
