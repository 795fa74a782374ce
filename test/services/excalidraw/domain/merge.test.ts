import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inOrder, supersedes } from "../../../../services/excalidraw/domain/merge.ts";
import type { JsonObject } from "../../../../src/protocol/json.ts";
import { type Board, type DrawnElement, play, story } from "../editor.ts";

const at = (version: number, nonce: number) => ({ version, nonce });

describe("supersedes", () => {
  test("prefers the higher version, whatever the nonces are", () => {
    expect(supersedes(at(2, 9), at(1, 1))).toBe(true);
    expect(supersedes(at(1, 1), at(2, 9))).toBe(false);
  });

  test("prefers the lower nonce at the same version", () => {
    expect(supersedes(at(2, 1), at(2, 9))).toBe(true);
    expect(supersedes(at(2, 9), at(2, 1))).toBe(false);
  });

  test("leaves what is the same", () => {
    expect(supersedes(at(2, 9), at(2, 9))).toBe(false);
  });

  test("is a strict order: of two that differ exactly one wins, and winners win over what their losers win over", () => {
    const revision = fc.record({ version: fc.nat(3), nonce: fc.integer({ min: -2, max: 2 }) });
    fc.assert(fc.property(revision, revision, revision, (a, b, c) => {
      const isSame = a.version === b.version && a.nonce === b.nonce;
      expect(supersedes(a, b)).toBe(!isSame && !supersedes(b, a));
      if (supersedes(a, b) && supersedes(b, c)) expect(supersedes(a, c)).toBe(true);
    }));
  });
});

describe("inOrder", () => {
  test("puts elements by their index, equal ones by id, and those without one on top as they came", () => {
    const elements: JsonObject[] = [
      { id: "top 1" },
      { id: "c", index: "a1" },
      { id: "b", index: "a1" },
      { id: "top 2", index: null },
      { id: "a", index: "a2" },
      { id: "z", index: "Zz" },
    ];
    expect(inOrder(elements).map(({ id }) => id)).toEqual(["z", "b", "c", "a", "top 1", "top 2"]);
    expect(elements[0]!.id).toBe("top 1");
  });
});

/** A service that keeps what `supersedes` lets it. */
function keepingBoard(): Board {
  const kept = new Map<string, DrawnElement>();
  const told: DrawnElement[][] = [];
  const revision = ({ version, versionNonce }: DrawnElement) => ({ version, nonce: versionNonce });
  return {
    told,
    update(elements) {
      const applied = elements.filter((element) => {
        const present = kept.get(element.id);
        return !present || supersedes(revision(element), revision(present));
      });
      for (const element of applied) kept.set(element.id, element);
      if (applied.length > 0) told.push(applied);
    },
    snapshot: () => [...kept.values()],
  };
}

test("editors and service end with the same diagram, whatever they do in whatever order", () => {
  fc.assert(
    fc.property(story(60), (steps) => {
      const [first, ...others] = play(steps, keepingBoard());
      for (const canvas of others) expect(canvas).toEqual(first);
    }),
    { numRuns: 2_000 },
  );
});

test("a service that kept the higher nonce would not bring them together", () => {
  const wrong = (): Board => {
    const board = keepingBoard();
    const kept = new Map<string, DrawnElement>();
    const told: DrawnElement[][] = [];
    return {
      ...board,
      told,
      update(elements) {
        for (const element of elements) {
          const present = kept.get(element.id);
          const isNewer = !present || element.version > present.version ||
            (element.version === present.version && element.versionNonce > present.versionNonce);
          if (!isNewer) continue;
          kept.set(element.id, element);
          told.push([element]);
        }
      },
      snapshot: () => [...kept.values()],
    };
  };
  const agreed = fc.check(
    fc.property(story(60), (steps) => {
      const [first, ...others] = play(steps, wrong()).map((canvas) =>
        JSON.stringify(Object.entries(canvas).sort())
      );
      return others.every((canvas) => canvas === first);
    }),
    { numRuns: 2_000 },
  );
  expect(agreed.failed).toBe(true);
});
