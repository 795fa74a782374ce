import { describe, expect, test } from "vitest";
import { counted, Rate, sizeText } from "../../../src/cli/record/progress.ts";
import { FakeClock } from "../../support/fake-clock.ts";

describe("sizeText()", () => {
  test("says a size as a person reads it", () => {
    expect([0, 1_023, 1_024, 3_500, 5_242_880, 3_221_225_472].map(sizeText)).toEqual([
      "0 B",
      "1023 B",
      "1.0 KiB",
      "3.4 KiB",
      "5.0 MiB",
      "3.0 GiB",
    ]);
  });
});

describe("counted()", () => {
  test("says a number of things", () => {
    expect([counted(0, "event"), counted(1, "event"), counted(1_234, "event")]).toEqual([
      "0 events",
      "1 event",
      "1,234 events",
    ]);
  });
});

describe("Rate", () => {
  test("is that of the last few seconds", () => {
    const clock = new FakeClock();
    const rate = new Rate(clock);
    expect(rate.next(0)).toBe(0);
    clock.advance(500);
    expect(rate.next(50)).toBe(100);
    for (let turn = 0; turn < 20; turn++) {
      clock.advance(500);
      rate.next(50);
    }
    expect(rate.next(50)).toBe(0);
  });
});
