import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rateLimitMessage, TokenBucket } from "../../src/limits/token-bucket.ts";

/** How many tokens can be taken at one moment. */
function drain(bucket: TokenBucket, now: number): number {
  let taken = 0;
  while (bucket.take(now) === true) taken++;
  return taken;
}

describe("TokenBucket", () => {
  test("a bucket starts full with one and a half seconds of its rate", () => {
    expect(drain(new TokenBucket(100, 0), 0)).toBe(150);
    expect(drain(new TokenBucket(2, 0), 0)).toBe(3);
    expect(drain(new TokenBucket(1, 0), 0)).toBe(1);
    expect(drain(new TokenBucket(100, 0, 7), 0)).toBe(7);
  });

  test("a bucket says how long until the next token, and has it then", () => {
    const bucket = new TokenBucket(4, 1000);
    expect(drain(bucket, 1000)).toBe(6);
    expect(bucket.take(1000)).toBe(0.25);
    expect(bucket.take(1100)).toBeCloseTo(0.15);
    expect(bucket.take(1249)).toBeCloseTo(0.001);
    expect(bucket.take(1250)).toBe(true);
    expect(bucket.take(1250)).toBe(0.25);
  });

  test("a bucket fills without a pause, up to its capacity and no further", () => {
    const bucket = new TokenBucket(100, 0);
    drain(bucket, 0);
    expect(drain(bucket, 500)).toBe(50);
    expect(drain(bucket, 1_000_000)).toBe(150);
  });

  test("a bucket takes nothing away for a refusal", () => {
    const bucket = new TokenBucket(1, 0, 1);
    expect(bucket.take(0)).toBe(true);
    for (let now = 0; now < 1000; now += 10) expect(bucket.take(now)).not.toBe(true);
    expect(bucket.take(1000)).toBe(true);
  });

  test("a bucket of rate 0 is no limit", () => {
    const bucket = new TokenBucket(0, 0);
    const verdicts = Array.from({ length: 10_000 }, () => bucket.take(0));
    expect(new Set(verdicts)).toEqual(new Set([true]));
  });

  test("a bucket of a rate below one frame a second still holds one", () => {
    const bucket = new TokenBucket(0.1, 0);
    expect(bucket.take(0)).toBe(true);
    expect(bucket.take(0)).toBe(10);
    expect(bucket.take(10_000)).toBe(true);
  });

  test("a bucket survives a clock that steps back", () => {
    const bucket = new TokenBucket(1, 1000, 1);
    expect(bucket.take(1000)).toBe(true);
    expect(bucket.take(0)).toBe(1);
    expect(bucket.take(2000)).toBe(true);
  });

  test("a bucket never lets more through than its burst and its rate together", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 }),
        (rate, pauses) => {
          const bucket = new TokenBucket(rate, 0);
          let now = 0;
          let taken = 0;
          for (const pause of pauses) {
            now += pause;
            taken += drain(bucket, now);
          }
          expect(taken).toBeLessThanOrEqual(Math.max(1, rate * 1.5) + (now / 1000) * rate + 1e-6);
          const wait = bucket.take(now);
          if (wait !== true) expect(bucket.take(now + wait * 1000)).toBe(true);
        },
      ),
    );
  });
});

describe("TokenBucket.takeFurther()", () => {
  test("takes several beside the one that was taken, or none of them", () => {
    const bucket = new TokenBucket(2, 0, 10);
    expect([bucket.take(0), bucket.takeFurther(6, 0)]).toEqual([true, true]);
    expect([bucket.take(0), bucket.takeFurther(3, 0)]).toEqual([true, 1]);
    // For the three and the one: the two that were left, and two more.
    expect([bucket.take(1000), bucket.takeFurther(3, 1000)]).toEqual([true, true]);
    expect(drain(bucket, 1000)).toBe(0);
  });

  test("of more than the bucket can hold, owes what it lacked", () => {
    const bucket = new TokenBucket(1, 0, 3);
    expect([bucket.take(0), bucket.takeFurther(9, 0)]).toEqual([true, true]);
    expect(bucket.take(0)).toBe(8);
    expect(bucket.take(7_999)).toBeCloseTo(0.001);
    expect(bucket.take(8_000)).toBe(true);
    expect(bucket.takeFurther(9, 8_000)).toBe(3);
    expect([bucket.take(11_000), bucket.takeFurther(9, 11_000)]).toEqual([true, true]);
  });

  test("of a bucket of rate 0 is no limit", () => {
    expect(new TokenBucket(0, 0).takeFurther(1e9, 0)).toBe(true);
  });

  test("lets who waits as long as told have them, and nobody more than burst and rate in the long run", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.integer({ min: 1, max: 49 }), { minLength: 1, maxLength: 50 }),
        (rate, burst, batches) => {
          const bucket = new TokenBucket(rate, 0, burst);
          let now = 0;
          let taken = 0;
          const patiently = (take: () => true | number) => {
            const wait = take();
            if (wait !== true) now += wait * 1000;
            return wait === true;
          };
          for (const further of batches) {
            while (!patiently(() => bucket.take(now))) { /* It has waited. */ }
            taken++;
            if (patiently(() => bucket.takeFurther(further, now))) taken += further;
            else {
              expect([bucket.take(now), bucket.takeFurther(further, now)]).toEqual([true, true]);
              taken += 1 + further;
            }
            expect(taken).toBeLessThanOrEqual(burst + 49 + (now / 1000) * rate + 1e-6);
          }
        },
      ),
    );
  });
});

describe("rateLimitMessage", () => {
  test("rateLimitMessage gives the seconds with three decimals", () => {
    expect(rateLimitMessage(0.25)).toBe("Message rate limit exceeded. Retry after 0.250 seconds.");
    expect(rateLimitMessage(10)).toBe("Message rate limit exceeded. Retry after 10.000 seconds.");
  });
});
