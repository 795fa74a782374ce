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

  /** Seconds until a client is gone that has so many frames refused at once, again and again. */
  function lastsFor(
    watch: AbuseWatch,
    { refused, everyMs }: { refused: number; everyMs: number },
  ): number | null {
    for (let now = 0; now < 3_600_000; now += everyMs) {
      for (let frame = 0; frame < refused; frame++) if (watch.refused(now)) return now / 1_000;
    }
    return null;
  }

  test("a watch is not deceived by pauses: 300 frames every one and a half seconds are abuse within a minute", () => {
    const seconds = lastsFor(new AbuseWatch(10, 100), { refused: 150, everyMs: 1_500 });
    expect(seconds).toBeGreaterThan(30);
    expect(seconds).toBeLessThan(60);
  });

  test.each([1_001, 2_000, 5_000, 15_000])(
    "a watch ends a client that floods every %i ms",
    (everyMs) => expect(lastsFor(new AbuseWatch(10, 100), { refused: 1_000, everyMs })).not.toBeNull(),
  );

  test.each([
    { refused: 50, everyMs: 30_000 },
    { refused: 4, everyMs: 1_001 },
    { refused: 10_000, everyMs: 20_001 },
  ])("a watch bears with a client of which %o are refused", (habit) => {
    expect(lastsFor(new AbuseWatch(10, 100), habit)).toBeNull();
  });

  test("a watch counts what is gathered by the rate of the client", () => {
    const slow = lastsFor(new AbuseWatch(10, 1_000), { refused: 150, everyMs: 1_500 });
    const fast = lastsFor(new AbuseWatch(10, 10), { refused: 150, everyMs: 1_500 });
    expect(slow).toBeGreaterThan(fast!);
  });
});
