/**
 * Times as a person at a terminal reads them.
 */
import { expect, it } from "vitest";
import { ago, span } from "../../../src/cli/terminal/ago.ts";

const HOUR = 3_600_000;

it("span tells the largest unit, and the next one where there are few of it", () => {
  const told = [
    0,
    250,
    999,
    1_000,
    59_999,
    60_000,
    61_000,
    10 * 60_000 + 5_000,
    2 * HOUR + 14 * 60_000,
    76 * HOUR,
  ];
  expect(told.map(span)).toEqual([
    "0ms",
    "250ms",
    "999ms",
    "1s",
    "59s",
    "1m",
    "1m 1s",
    "10m",
    "2h 14m",
    "3d 4h",
  ]);
});

it("ago says now for less than a second, for what is still to come, and for no time at all", () => {
  expect([-HOUR, 0, 999, NaN, 1_000, 65_000].map(ago)).toEqual([
    "now",
    "now",
    "now",
    "now",
    "1s ago",
    "1m 5s ago",
  ]);
});
