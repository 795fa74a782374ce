import fc from "fast-check";
import { expect, test } from "vitest";
import { findCycle } from "../../../services/mahavishnu/domain/dag.ts";

const graph = (needs: Record<string, string[]>) =>
  Object.entries(needs).map(([name, needs]) => ({ name, needs }));

test.each<[string, Record<string, string[]>, string[] | null]>([
  ["nothing", {}, null],
  ["a diamond", { a: [], b: ["a"], c: ["a"], d: ["b", "c"] }, null],
  ["a need that is no stage", { a: ["nowhere"] }, null],
  ["a stage that needs itself", { a: ["a"] }, ["a", "a"]],
  ["two stages", { a: ["b"], b: ["a"] }, ["a", "b", "a"]],
  ["a circle behind a tail, without the tail", { tail: ["a"], a: ["b"], b: ["c"], c: ["a"] }, [
    "a",
    "b",
    "c",
    "a",
  ]],
])("findCycle tells the circle of %s", (_, needs, cycle) => {
  expect(findCycle(graph(needs))).toEqual(cycle);
});

const stageCount = 8;
const anyGraph = fc.array(fc.uniqueArray(fc.nat(stageCount - 1), { maxLength: 3 }), { maxLength: stageCount })
  .map((needs) => needs.map((of, index) => ({ name: `s${index}`, needs: of.map((need) => `s${need}`) })));

test("findCycle finds a circle exactly where the stages cannot be put into an order", () => {
  fc.assert(fc.property(anyGraph, (stages) => {
    const names = new Set(stages.map(({ name }) => name));
    const placed = new Set<string>();
    const canBePlaced = () =>
      stages.find(({ name, needs }) =>
        !placed.has(name) && needs.every((need) => placed.has(need) || !names.has(need))
      );
    for (let next = canBePlaced(); next; next = canBePlaced()) placed.add(next.name);
    const cycle = findCycle(stages);
    expect(cycle === null).toBe(placed.size === stages.length);
    if (!cycle) return;
    expect(cycle[0]).toBe(cycle.at(-1));
    for (const [index, need] of cycle.slice(1).entries()) {
      expect(stages.find(({ name }) => name === cycle[index])!.needs).toContain(need);
    }
  }));
});
