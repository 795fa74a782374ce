/**
 * Times as they stand on the command line.
 */
import { expect, it } from "vitest";
import { readDuration } from "../../src/cli/duration.ts";

it("readDuration takes whole numbers of each unit, up to what a timer can wait", () => {
  expect(["1ms", "30s", "10m", "2h", "24d"].map((text) => readDuration("--timeout", text)))
    .toEqual([1, 30_000, 600_000, 7_200_000, 2_073_600_000]);
  for (const text of ["", "0s", "10", "1.5h", "-1s", "25d", "1w", "99999999999s", " 1s"]) {
    expect(() => readDuration("--timeout", text)).toThrow(
      `--timeout: expected a time like 500ms, 30s, 10m or 2h`,
    );
  }
});
