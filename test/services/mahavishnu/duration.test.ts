import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_DURATION_MS, readDuration } from "../../../services/mahavishnu/domain/duration.ts";

test.each<[unknown, number]>([
  ["500ms", 500],
  ["30s", 30_000],
  ["5m", 300_000],
  ["1h", 3_600_000],
  ["1.5s", 1_500],
  ["2 m", 120_000],
  ["168h", MAX_DURATION_MS],
  [1, 1_000],
  [0.25, 250],
  ["1ms", 1],
])("readDuration takes %j for %i ms", (text, ms) => {
  expect(readDuration(text)).toBe(ms);
});

test.each(
  [
    "",
    "5",
    "5 parsecs",
    "-1s",
    "1e3s",
    "0s",
    "0.4ms",
    0,
    -1,
    NaN,
    Infinity,
    "169h",
    604_801,
    "1s ",
    true,
    null,
    [
      1,
    ],
  ],
)("readDuration does not take %j", (text) => {
  expect(readDuration(text)).toBeUndefined();
});

test("readDuration gives whole milliseconds within its bounds, or nothing", () => {
  fc.assert(fc.property(fc.anything(), (value) => {
    const ms = readDuration(value);
    if (ms !== undefined) expect(Number.isInteger(ms) && ms >= 1 && ms <= MAX_DURATION_MS).toBe(true);
  }));
});
