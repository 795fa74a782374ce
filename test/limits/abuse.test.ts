import { describe, expect, test } from "vitest";
import { AbuseWatch } from "../../src/limits/abuse.ts";

describe("AbuseWatch", () => {
  test("a watch calls it abuse when refusals have gone on for ten seconds, and not a millisecond before", () => {
    const watch = new AbuseWatch();
    for (let now = 500; now < 10_499; now += 100) expect(watch.refused(now)).toBe(false);
    expect(watch.refused(10_499)).toBe(false);
    expect(watch.refused(10_500)).toBe(true);
    expect(watch.refused(10_600)).toBe(true);
  });

  test("a watch takes one refusal a second for sustained, and a longer pause for an end", () => {
    const steady = new AbuseWatch();
    const verdicts = Array.from({ length: 11 }, (_, second) => steady.refused(second * 1000));
    expect(verdicts.indexOf(true)).toBe(10);

    const pausing = new AbuseWatch();
    for (let refusal = 0; refusal < 100; refusal++) expect(pausing.refused(refusal * 1001)).toBe(false);
  });

  test("a watch starts anew after a pause", () => {
    const watch = new AbuseWatch(2);
    for (const now of [0, 1000, 1999]) expect(watch.refused(now)).toBe(false);
    for (const now of [3000, 4000, 4999]) expect(watch.refused(now)).toBe(false);
    expect(watch.refused(5000)).toBe(true);
  });

  test("a watch does not mind how many refusals come at once", () => {
    const watch = new AbuseWatch();
    const verdicts = Array.from({ length: 100_000 }, () => watch.refused(0));
    expect(verdicts.includes(true)).toBe(false);
  });

  test("a watch of 0 seconds never calls it abuse", () => {
    const watch = new AbuseWatch(0);
    for (let now = 0; now < 100_000; now += 500) expect(watch.refused(now)).toBe(false);
  });
});
