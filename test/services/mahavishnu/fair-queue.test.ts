import fc from "fast-check";
import { expect, test } from "vitest";
import { FairQueue } from "../../../services/mahavishnu/domain/fair-queue.ts";

test("owners take turns, however many items one of them has", () => {
  const queue = new FairQueue<string>();
  for (const item of ["a1", "a2", "a3", "b1", "c1", "c2"]) queue.add(item[0]!, item);
  const taken = Array.from({ length: 6 }, () => queue.take());
  expect(taken).toEqual(["a1", "b1", "c1", "a2", "c2", "a3"]);
  expect(queue.take()).toBeUndefined();
});

test("drop takes out what an owner has in line and nothing else", () => {
  const queue = new FairQueue<string>();
  for (const item of ["a1", "a2", "b1"]) queue.add(item[0]!, item);
  queue.drop("a");
  queue.drop("nobody");
  expect(queue.size).toBe(1);
  expect([queue.take(), queue.take()]).toEqual(["b1", undefined]);
});

type Step = { readonly owner: string; readonly kind: "add" | "take" | "drop" | "clear" };
const step: fc.Arbitrary<Step> = fc.record({
  owner: fc.constantFrom("a", "b", "c"),
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant("add" as const) },
    { weight: 4, arbitrary: fc.constant("take" as const) },
    { weight: 1, arbitrary: fc.constantFrom("drop" as const, "clear" as const) },
  ),
});

test("each owner's items come out in the order in which they went in, none lost, none twice", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const queue = new FairQueue<string>();
    const lines = new Map<string, string[]>([["a", []], ["b", []], ["c", []]]);
    for (const [index, { owner, kind }] of steps.entries()) {
      if (kind === "add") {
        queue.add(owner, `${owner}${index}`);
        lines.get(owner)!.push(`${owner}${index}`);
      } else if (kind === "take") {
        const taken = queue.take();
        if (taken === undefined) expect([...lines.values()].flat()).toEqual([]);
        else expect(lines.get(taken[0]!)!.shift()).toBe(taken);
      } else if (kind === "drop") {
        queue.drop(owner);
        lines.set(owner, []);
      } else {
        queue.clear();
        for (const name of lines.keys()) lines.set(name, []);
      }
      expect(queue.size).toBe([...lines.values()].flat().length);
    }
  }));
});

test("whoever waits is served before another owner is served twice", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 40 }),
      (owners) => {
        const queue = new FairQueue<string>();
        const left = new Map<string, number>();
        for (const owner of owners) {
          queue.add(owner, owner);
          left.set(owner, (left.get(owner) ?? 0) + 1);
        }
        const sinceServed = new Map<string, string[]>();
        for (let taken = queue.take(); taken !== undefined; taken = queue.take()) {
          left.set(taken, left.get(taken)! - 1);
          sinceServed.set(taken, []);
          for (const [owner, count] of left) {
            if (owner === taken || count === 0) continue;
            const others = sinceServed.get(owner) ?? [];
            others.push(taken);
            sinceServed.set(owner, others);
            expect(new Set(others).size).toBe(others.length);
          }
        }
      },
    ),
  );
});
