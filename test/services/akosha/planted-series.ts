/**
 * Series with a known answer, made from seeds, and what the detectors say of them. Detectors see each series as akosha
 * shows it to them: value after value, and never what comes.
 *
 * @module
 */
import { BURST_GAPS, findBurst, holdsBurst } from "../../../services/akosha/domain/burst.ts";
import { CHANGE_WINDOW, findChangePoint } from "../../../services/akosha/domain/change-point.ts";
import { findCorrelation } from "../../../services/akosha/domain/correlation.ts";
import { judge } from "../../../services/akosha/domain/outlier.ts";
import { evenStep, findPeriod, holdsPeriod, PERIOD_WINDOW } from "../../../services/akosha/domain/period.ts";
import { findTrend, holdsTrend, TREND_WINDOW } from "../../../services/akosha/domain/trend.ts";

const THRESHOLD = 4.3;
const WINDOW = 256;

/** Numbers from 0 to 1 (mulberry32), the same for the same seed. */
export function uniform(seed: number): () => number {
  let state = seed * 2_654_435_761 >>> 0;
  return () => {
    state = state + 0x6d2b79f5 >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ mixed >>> 15, mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 4_294_967_296;
  };
}

/** Normal noise with mean 0 and standard deviation 1. */
export function normal(seed: number): () => number {
  const random = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export interface SampleSeries {
  readonly values: number[];
  readonly times: number[];
  /** For correlations. */
  readonly other?: number[];
}

export type Kind = "anomaly" | "burst" | "trend" | "change_point" | "period" | "correlation";

/** What was told, and at which index it was. */
export interface Finding {
  readonly kind: Kind;
  readonly index: number;
  /** Index of a change, length of a period. */
  readonly about?: number;
}

export function series(count: number, make: (index: number) => number): SampleSeries {
  return {
    values: Array.from({ length: count }, (_, index) => make(index)),
    times: Array.from({ length: count }, (_, index) => index * 1_000),
  };
}

/** Everything that the detectors tell of a series. */
export function tellAll(sample: SampleSeries): Finding[] {
  const { values, times } = sample;
  const told: Finding[] = [];
  let since = 0;
  let usual = 3;
  let length = 0;
  let trend: "increasing" | "decreasing" | null = null;
  let period: number | null = null;
  let burstGap: number | null = null;
  for (const [index, value] of values.entries()) {
    const goesOn = usual < 3;
    const end = index - (goesOn && length <= 32 ? length : 0);
    const judgement = judge(value, values.slice(Math.max(since, index - WINDOW), end), THRESHOLD);
    length = goesOn ? length + 1 : 1;
    if (!judgement?.isOutlier) usual++;
    else {
      if (usual >= 3) told.push({ kind: "anomaly", index });
      usual = 0;
    }
    const seenTimes = times.slice(Math.max(0, index + 1 - WINDOW), index + 1);
    if (burstGap !== null) {
      if (!holdsBurst(seenTimes, burstGap)) burstGap = null;
    } else {
      const burst = findBurst(seenTimes);
      if (burst) {
        told.push({ kind: "burst", index });
        burstGap = burst.usualGapMs;
      }
    }
    if ((index + 1) % 4 !== 0) continue;
    const seen = (most: number) => values.slice(Math.max(since, index + 1 - most), index + 1);
    const first = Math.max(since, index + 1 - PERIOD_WINDOW);
    if (period !== null) {
      if (!holdsPeriod(seen(PERIOD_WINDOW), period)) period = null;
    } else if (evenStep(times.slice(first, index + 1)) !== null) {
      period = findPeriod(seen(PERIOD_WINDOW))?.length ?? null;
      if (period !== null) told.push({ kind: "period", index, about: period });
    }
    if (period === null) {
      const change = findChangePoint(seen(CHANGE_WINDOW));
      if (change) {
        since = Math.max(since, index + 1 - CHANGE_WINDOW) + change.index;
        usual = 3;
        told.push({ kind: "change_point", index, about: since });
      }
    }
    if (trend !== null) {
      if (!holdsTrend(seen(TREND_WINDOW), trend)) trend = null;
    } else if (period === null) {
      trend = findTrend(seen(TREND_WINDOW))?.direction ?? null;
      if (trend !== null) told.push({ kind: "trend", index });
    }
  }
  if (sample.other) {
    const means = (of: readonly number[]) => of.map((mean, start) => ({ start, mean }));
    for (let end = 21; end <= values.length; end++) {
      const [a, b] = [values, sample.other].map((of) => means(of.slice(Math.max(0, end - 64), end)));
      if (!findCorrelation(a!, b!)) continue;
      told.push({ kind: "correlation", index: end - 1 });
      break;
    }
  }
  return told;
}

/** A series in which something was planted, and which findings are it. Each is found at most once. */
export interface Planted {
  readonly make: (seed: number) => SampleSeries;
  readonly kind: Kind;
  /** Where, as indices at which it may be told. */
  readonly where: (seed: number) => readonly { readonly from: number; readonly to: number }[];
  readonly fits?: (about: number) => boolean;
}

const SPIKES = [100, 160, 230, 300, 370];
const spikeSigns = (seed: number) => SPIKES.map((_, index) => (seed + index) % 2 === 0 ? 1 : -1);
const spiked = (make: (noise: number, sign: number) => number) => (seed: number) => {
  const noise = normal(seed);
  const signs = spikeSigns(seed);
  return series(400, (index) => {
    const spike = SPIKES.indexOf(index);
    const value = noise();
    return 50 + 2 * (spike < 0 ? value : make(value, signs[spike]!));
  });
};
const atSpikes = () => SPIKES.map((index) => ({ from: index, to: index }));

const noisy = (count: number, shape: (index: number) => number) => (seed: number) => {
  const noise = normal(seed);
  return series(count, (index) => shape(index) + noise());
};

function burstOf(seed: number, faster: number): SampleSeries {
  const random = uniform(seed);
  let time = 0;
  const times = Array.from({ length: 150 }, (_, index) => {
    time += -Math.log(1 - random()) * (index >= 100 && index < 125 ? 1_000 / faster : 1_000);
    return time;
  });
  return { times, values: times.map(() => 1) };
}

function coupled(seed: number, share: number): SampleSeries {
  const shared = normal(seed);
  const mine = normal(seed + 1_000_003);
  const theirs = normal(seed + 2_000_003);
  const common = Array.from({ length: 60 }, () => shared());
  const mixed = (own: () => number) =>
    common.map((value) => share * value + Math.sqrt(1 - share ** 2) * own());
  return { values: mixed(mine), times: common.map((_, index) => index * 1_000), other: mixed(theirs) };
}

export const PLANTED: Readonly<Record<string, Planted>> = {
  "anomaly: values 5 sigma away": { make: spiked((_, sign) => 5 * sign), kind: "anomaly", where: atSpikes },
  "anomaly: 8 sigma added to the noise": {
    make: spiked((noise, sign) => noise + 8 * sign),
    kind: "anomaly",
    where: atSpikes,
  },
  "burst: 20 times as fast": {
    make: (seed) => burstOf(seed, 20),
    kind: "burst",
    where: () => [{ from: 100 + BURST_GAPS - 2, to: 126 }],
  },
  "trend: 0.1 sigma per value": {
    make: noisy(150, (index) => 0.1 * index),
    kind: "trend",
    where: () => [{ from: 20, to: 149 }],
  },
  "trend: falls after 100 values at rest": {
    make: noisy(200, (index) => -0.15 * Math.max(0, index - 100)),
    kind: "trend",
    where: () => [{ from: 105, to: 199 }],
  },
  "change_point: 3 sigma up": {
    make: noisy(200, (index) => index < 100 ? 0 : 3),
    kind: "change_point",
    where: () => [{ from: 100, to: 150 }],
    fits: (about) => Math.abs(about - 100) <= 5,
  },
  "change_point: 2 sigma down": {
    make: noisy(200, (index) => index < 100 ? 2 : 0),
    kind: "change_point",
    where: () => [{ from: 100, to: 199 }],
    fits: (about) => Math.abs(about - 100) <= 10,
  },
  "period: sine of 12, amplitude 2 sigma": {
    make: noisy(200, (index) => 2 * Math.sin(2 * Math.PI * index / 12)),
    kind: "period",
    where: () => [{ from: 31, to: 199 }],
    fits: (about) => about === 12,
  },
  "period: a peak every 7 values, 4 sigma": {
    make: noisy(200, (index) => index % 7 === 0 ? 4 : 0),
    kind: "period",
    where: () => [{ from: 27, to: 199 }],
    fits: (about) => about === 7,
  },
  "correlation: 0.9": {
    make: (seed) => coupled(seed, Math.sqrt(0.9)),
    kind: "correlation",
    where: () => [{ from: 20, to: 59 }],
  },
  "correlation: 0.8": {
    make: (seed) => coupled(seed, Math.sqrt(0.8)),
    kind: "correlation",
    where: () => [{ from: 20, to: 59 }],
  },
};

/** What cannot all be told from noise: for the benchmark, not for a promise. */
export const HARD: Readonly<Record<string, Planted>> = {
  "anomaly: 5 sigma added to the noise": {
    make: spiked((noise, sign) => noise + 5 * sign),
    kind: "anomaly",
    where: atSpikes,
  },
  "burst: 8 times as fast": {
    make: (seed) => burstOf(seed, 8),
    kind: "burst",
    where: () => [{ from: 100 + BURST_GAPS - 2, to: 126 }],
  },
  "change_point: 1 sigma up": {
    make: noisy(200, (index) => index < 100 ? 0 : 1),
    kind: "change_point",
    where: () => [{ from: 100, to: 199 }],
    fits: (about) => Math.abs(about - 100) <= 20,
  },
};

export const CLEAN: Readonly<Record<string, (seed: number) => SampleSeries>> = {
  "constant": () => series(400, () => 42),
  "normal noise": noisy(400, () => 100),
  "uniform noise": (seed) => {
    const random = uniform(seed);
    return series(400, () => random());
  },
  "small whole numbers": (seed) => {
    const random = uniform(seed);
    return series(400, () => Math.floor(random() * 4));
  },
  "heads and tails": (seed) => {
    const random = uniform(seed);
    return series(400, () => random() < 0.5 ? 1 : 0);
  },
  "random walk": (seed) => {
    const noise = normal(seed);
    let value = 0;
    return series(400, () => value += noise());
  },
  "each value 0.6 of the one before, and noise": (seed) => {
    const noise = normal(seed);
    let value = 0;
    return series(400, () => value = 0.6 * value + noise());
  },
  "arrivals at random": (seed) => burstOf(seed, 1),
  "two that have nothing in common": (seed) => coupled(seed, 0),
  "two that both grow": (seed) => {
    const { values, times, other } = coupled(seed, 0);
    return {
      values: values.map((value, i) => value + i),
      times,
      other: other!.map((value, i) => value + 2 * i),
    };
  },
};

export interface Tally {
  readonly found: number;
  readonly planted: number;
  /** Findings of the kind, right and wrong. */
  readonly told: number;
  readonly observations: number;
}

export function tallyPlanted({ make, kind, where, fits = () => true }: Planted, seeds: number): Tally {
  const sum = { found: 0, planted: 0, told: 0, observations: 0 };
  for (let seed = 1; seed <= seeds; seed++) {
    const sample = make(seed);
    const told = tellAll(sample).filter((finding) => finding.kind === kind);
    const places = where(seed);
    sum.observations += sample.values.length;
    sum.planted += places.length;
    sum.told += told.length;
    sum.found += places.filter(({ from, to }) =>
      told.some(({ index, about = 0 }) =>
        index >= from && index <= to && fits(about)
      )
    ).length;
  }
  return sum;
}

export function tallyClean(
  make: (seed: number) => SampleSeries,
  seeds: number,
): Record<Kind | "observations", number> {
  const sum = { observations: 0, anomaly: 0, burst: 0, trend: 0, change_point: 0, period: 0, correlation: 0 };
  for (let seed = 1; seed <= seeds; seed++) {
    const sample = make(seed);
    sum.observations += sample.values.length;
    for (const { kind } of tellAll(sample)) sum[kind]++;
  }
  return sum;
}
