/** The judge of `overlaps.test.ts` finds what it is there for. */
import { expect, test } from "vitest";
import type { Item } from "../../src/client/mod.ts";
import { faultsOf, type Said, type Stay } from "./judge-stay.ts";

const KEPT = 2;

/** `doc:a` has the odd seqs and `doc:b` the even ones. */
const said: Said[] = Array.from({ length: 10 }, (_, index) => {
  const seq = index + 1;
  return { channel: seq % 2 ? "doc:a" : "doc:b", seq, id: `id-${seq}` };
});

const event = (seq: number): Item => ({
  ...said[seq - 1]!,
  type: "event",
  event: "doc.changed",
  data: {},
  timestamp: "2026-01-01T00:00:00.000Z",
});
const gap = (from: number, to: number, cause = "history"): Item => (
  { type: "gap", channel: "doc:*", from, to, cause }
);

/** What is wrong with a stay in `doc:*` after 2 and up to 8. */
function faults(items: Item[], stay: Partial<Stay> = {}): string[] {
  const whole = { name: "doc:*", start: 2, end: 8, items, ...stay };
  return faultsOf(whole, said, KEPT).map((fault) => fault.slice(fault.indexOf(": ") + 2));
}

test("a stay with all its events, each channel in order, is in order", () => {
  expect(faults([4, 6, 3, 5, 8, 7].map(event))).toEqual([]);
  expect(faults([3, 5, 7].map(event), { name: "doc:a" })).toEqual([]);
});

test("a gap covers what is missing, where more was said in it than is kept", () => {
  expect(faults([gap(2, 8), event(9)])).toEqual([]);
  expect(faults([event(3), event(4), gap(4, 8)])).toEqual(["nothing was lost from 4 to 8 (history)"]);
  expect(faults([gap(2, 8, "epoch")])).toEqual(["nothing was lost from 2 to 8 (epoch)"]);
});

test("what is missing is found, and only between its beginning and its end", () => {
  expect(faults([3, 4, 6, 7, 8].map(event))).toEqual(["5 of doc:a is missing"]);
  expect(faults([4, 6, 8].map(event), { name: "doc:b", end: Infinity })).toEqual(["10 of doc:b is missing"]);
  expect(faults([5, 6, 7, 8].map(event), { start: 4 })).toEqual([]);
});

test("what comes twice, too late, too early or of nowhere is found", () => {
  expect(faults([3, 4, 5, 5, 6, 7, 8].map(event))).toEqual(["5 of doc:a comes after 5"]);
  expect(faults([3, 4, 7, 5, 6, 8].map(event))).toEqual(["5 of doc:a comes after 7"]);
  expect(faults([gap(2, 8), event(7)])).toEqual(["7 of doc:a comes after 8"]);
  expect(faults([2, 3, 4, 5, 6, 7, 8].map(event))).toEqual(["2 of doc:b comes after 2"]);
  expect(faults([4, 3, 6, 8].map(event), { name: "doc:b" })).toEqual(["3 of doc:a was never said"]);
});
