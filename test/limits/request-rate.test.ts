import { describe, expect, test } from "vitest";
import { RequestRate, requestRateMessage, retryAfter } from "../../src/limits/request-rate.ts";

describe("RequestRate", () => {
  test("each name has a burst of its own, then the rate", () => {
    const rate = new RequestRate(2, 3);
    const ask = (name: string, now: number) => rate.take(name, now);
    expect([0, 0, 0, 0].map((now) => ask("a", now))).toEqual([true, true, true, 0.5]);
    expect(ask("b", 0)).toBe(true);
    expect(ask("a", 499)).toBeCloseTo(0.001);
    expect([ask("a", 500), ask("a", 500)]).toEqual([true, 0.5]);
  });

  test("a rate of 0 is no limit and keeps nothing", () => {
    const rate = new RequestRate(0, 1);
    expect(Array.from({ length: 1_000 }, () => rate.take("a", 0)).every((taken) => taken === true)).toBe(
      true,
    );
    expect(rate.size).toBe(0);
  });

  test("further ones of a name count for that name alone, and with a rate of 0 for none", () => {
    const rate = new RequestRate(1, 5);
    const ask = (name: string) => [rate.take(name, 0), rate.takeFurther(name, 3, 0)];
    expect([ask("a"), ask("a"), ask("b")]).toEqual([[true, true], [true, 4], [true, true]]);
    const none = new RequestRate(0, 5);
    expect([none.takeFurther("a", 1_000, 0), none.size]).toEqual([true, 0]);
  });

  test("what is given back can be taken again, and no more than that", () => {
    const rate = new RequestRate(1, 1);
    rate.giveBack("a");
    expect(rate.take("a", 0)).toBe(true);
    rate.giveBack("a");
    rate.giveBack("a");
    expect([rate.take("a", 0), rate.take("a", 0)]).toEqual([true, 1]);
  });

  test("at most ten thousand names are kept, those that asked last", () => {
    const rate = new RequestRate(1, 1);
    rate.take("steady", 0);
    for (let i = 0; i < 50_000; i++) {
      rate.take(`name ${i}`, 0);
      if (i % 5_000 === 0) expect(rate.take("steady", 0)).toBe(1);
    }
    expect(rate.size).toBe(10_000);
    expect(rate.take("steady", 0)).toBe(1);
    expect(rate.take("name 0", 0)).toBe(true);
  });
});

describe("A refusal", () => {
  test("says how long to wait, in its sentence exactly and in its header as whole seconds, never none", () => {
    expect(requestRateMessage(0.25)).toBe("Request rate limit exceeded. Retry after 0.250 seconds.");
    expect([0.001, 1, 1.001].map(retryAfter)).toEqual(["1", "1", "2"]);
  });
});
