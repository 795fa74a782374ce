import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findBurst } from "../../../services/akosha/domain/burst.ts";
import { findChangePoint } from "../../../services/akosha/domain/change-point.ts";
import { correlate } from "../../../services/akosha/domain/correlation.ts";
import { judge, severityOf } from "../../../services/akosha/domain/outlier.ts";
import { findPeriod } from "../../../services/akosha/domain/period.ts";
import { poissonTail } from "../../../services/akosha/domain/poisson.ts";
import { spreadOf } from "../../../services/akosha/domain/robust.ts";
import { findTrend, mannKendall } from "../../../services/akosha/domain/trend.ts";
import { CLEAN, normal, PLANTED, series, tallyClean, tallyPlanted, tellAll } from "./planted-series.ts";

const SEEDS = 40;

describe("what was planted", { timeout: 120_000 }, () => {
  it.each(Object.entries(PLANTED))("is found: %s", (name, planted) => {
    const { found, planted: all, told, observations } = tallyPlanted(planted, SEEDS);
    const least = planted.kind === "anomaly" ? 0.95 : 0.85;
    expect(found / all, `recall of ${name}`).toBeGreaterThanOrEqual(least);
    expect((told - found) / observations, `false alarms of ${name}`).toBeLessThanOrEqual(0.01);
    expect(found / told, `precision of ${name}`).toBeGreaterThanOrEqual(0.85);
  });
});

describe("series in which nothing was planted", { timeout: 120_000 }, () => {
  const nothing = { anomaly: 0, burst: 0, trend: 0, change_point: 0, period: 0, correlation: 0 };

  it.each(["constant", "small whole numbers", "heads and tails", "arrivals at random"])(
    "tell nothing at all: %s",
    (name) => {
      const { observations: _, ...told } = tallyClean(CLEAN[name]!, SEEDS);
      expect(told).toEqual(nothing);
    },
  );

  it.each(["normal noise", "uniform noise", "two that have nothing in common"])(
    "show no pattern, and hardly a value that stands out: %s",
    (name) => {
      const { observations, anomaly, ...patterns } = tallyClean(CLEAN[name]!, SEEDS);
      expect({ ...patterns, anomaly: 0 }).toEqual(nothing);
      expect(anomaly / observations).toBeLessThan(0.0005);
    },
  );

  it("are no correlation where both merely grow", () => {
    expect(tallyClean(CLEAN["two that both grow"]!, SEEDS).correlation).toBe(0);
  });

  it("show few patterns where values take after each other, as in a random walk", () => {
    for (const name of ["random walk", "each value 0.6 of the one before, and noise"]) {
      const { observations, trend, change_point, period } = tallyClean(CLEAN[name]!, SEEDS);
      expect((trend + change_point + period) / observations, name).toBeLessThan(0.002);
    }
  });
});

const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const sample = fc.array(finite, { minLength: 12, maxLength: 100 });

describe("judge()", () => {
  it("knows nothing of a series with fewer than 12 values, unless it was told what to expect", () => {
    const eleven = Array.from({ length: 11 }, (_, index) => index);
    expect(judge(1e9, eleven, 4.3)).toBeNull();
    expect(judge(3, [], 4.3, { expected: 0, scale: 0.2 })).toMatchObject({
      z: 15,
      expected: 0,
      isOutlier: true,
    });
    expect(judge(0, [], 4.3, { expected: 0, scale: 0.2 })).toMatchObject({ z: 0, isOutlier: false });
  });

  it("never takes the median of the values for an outlier, nor gives what is no number", () => {
    fc.assert(fc.property(sample, finite, (values, value) => {
      const { center } = spreadOf(values);
      expect(judge(center, values, 4.3)!.isOutlier).toBe(false);
      const judgement = judge(value, values, 4.3)!;
      expect(Math.abs(judgement.z)).toBeLessThanOrEqual(1_000);
      expect([judgement.expected, judgement.scale, judgement.z].every(Number.isFinite)).toBe(true);
    }));
  });

  it("judges the same whatever the unit and the order of the values are", () => {
    const values = Array.from({ length: 60 }, normal(7));
    const z = judge(5, values, 4.3)!.z;
    fc.assert(fc.property(
      fc.double({ min: 0.01, max: 1e4, noNaN: true }),
      fc.double({ min: -1e4, max: 1e4, noNaN: true }),
      fc.shuffledSubarray(values, { minLength: values.length }),
      (unit, shift, shuffled) => {
        const moved = shuffled.map((value) => value * unit + shift);
        expect(judge(5 * unit + shift, moved, 4.3)!.z).toBeCloseTo(z, 4);
      },
    ));
  });

  it("is not blinded by outliers that came before", () => {
    const values = Array.from({ length: 100 }, normal(3)).map((value, index) =>
      index % 5 === 0 ? 1e6 : value
    );
    expect(judge(7, values, 4.3)!.isOutlier).toBe(true);
    expect(judge(2, values, 4.3)!.isOutlier).toBe(false);
  });

  it("takes any other value for an outlier where all were the same", () => {
    const zeros = Array<number>(20).fill(0);
    expect(judge(1, zeros, 4.3)).toMatchObject({ z: 10, isOutlier: true });
    expect(judge(100.4, zeros.map(() => 100), 4.3)!.isOutlier).toBe(false);
    expect(judge(106, zeros.map(() => 100), 4.3)!.isOutlier).toBe(true);
  });

  it("stands the largest values that are taken", () => {
    const values = Array.from({ length: 30 }, (_, index) => index % 2 === 0 ? 1e100 : -1e100);
    expect(judge(1e100, values, 4.3)!.isOutlier).toBe(false);
    expect(judge(1e100, values.map(() => 1e-300), 4.3)!.z).toBe(1_000);
  });

  it("grades by how far the threshold is passed", () => {
    const grade = (z: number) => severityOf({ z, threshold: 4 });
    expect([4, -5.9, 6, 10, -20].map(grade)).toEqual(["low", "low", "medium", "high", "critical"]);
  });
});

describe("detectors", () => {
  it("give numbers and no error for any series", () => {
    const numbers = (found: object | null) =>
      Object.values(found ?? {}).filter((value) => typeof value === "number" && !Number.isFinite(value));
    fc.assert(fc.property(
      fc.array(fc.oneof(finite, fc.constantFrom(0, 1, -1e100, 1e100, 1e-300)), { maxLength: 200 }),
      (values) => {
        const means = values.map((mean, start) => ({ start, mean }));
        for (
          const found of [
            findChangePoint(values),
            findTrend(values),
            findPeriod(values),
            correlate(means, means.map(({ start, mean }) => ({ start, mean: -mean }))),
          ]
        ) expect(numbers(found)).toEqual([]);
      },
    ));
  });

  it("findChangePoint() tells the index and the two levels of an exact step", () => {
    const values = Array.from({ length: 60 }, (_, index) => index < 40 ? 5 : 8);
    expect(findChangePoint(values)).toMatchObject({ index: 40, before: 5, after: 8 });
    expect(findTrend(values)).toBeNull();
  });

  it("findTrend() tells the slope of an exact line, which is no change of level", () => {
    const values = Array.from({ length: 48 }, (_, index) => 100 - 2 * index);
    const trend = findTrend(values)!;
    expect(trend).toMatchObject({ direction: "decreasing", explained: 1 });
    expect(trend.slope).toBeCloseTo(-2);
    expect(findChangePoint(values)).toBeNull();
  });

  it("mannKendall() is the other way round for the values in reverse", () => {
    fc.assert(fc.property(fc.array(finite, { maxLength: 60 }), (values) => {
      expect(mannKendall([...values].reverse())).toBeCloseTo(-mannKendall(values), 9);
    }));
  });

  it("findPeriod() tells the length of an exact repetition, and not a multiple of it", () => {
    for (const length of [2, 5, 7, 24]) {
      const values = Array.from({ length: 8 * length + 24 }, (_, index) => index % length === 0 ? 1 : 0);
      expect(findPeriod(values)?.length, `length ${length}`).toBe(length);
    }
  });

  it("findBurst() finds no burst in what comes evenly, in lumps, or all at once", () => {
    const even = Array.from({ length: 200 }, (_, index) => index * 60_000);
    const lumps = Array.from({ length: 200 }, (_, index) => Math.floor(index / 10) * 60_000 + index % 10);
    expect(findBurst(even)).toBeNull();
    expect(findBurst(lumps)).toBeNull();
    expect(findBurst(even.map(() => 5))).toBeNull();
  });

  it("poissonTail() agrees with the sum of the probabilities below", () => {
    fc.assert(fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.double({ min: 0.5, max: 40, noNaN: true }),
      (count, expected) => {
        let below = 0;
        for (let k = 0, term = Math.exp(-expected); k < count; k++, term *= expected / k) below += term;
        expect(poissonTail(count, expected)).toBeCloseTo(1 - below, 9);
      },
    ));
    expect(poissonTail(9, 0.01)).toBeCloseTo(0, 20);
  });

  it("tells an excursion of many values once", () => {
    const noise = normal(5);
    const long = series(200, (index) => (index >= 100 && index < 108 ? 20 : 0) + noise());
    const told = tellAll(long).filter(({ kind }) => kind === "anomaly");
    expect(told).toEqual([{ kind: "anomaly", index: 100 }]);
  });
});
