/**
 * Holds the windows of a series against those of the others: which two begin to move together, and which do no more.
 *
 * @module
 */
import type { Aggregations } from "./aggregations.ts";
import {
  CORRELATION_WINDOWS,
  findCorrelation,
  holdsCorrelation,
  MIN_WINDOWS,
  type WindowMean,
} from "./correlation.ts";
import { shown, titleOf } from "./observation.ts";
import type { PatternEvent, Patterns } from "./patterns.ts";
import type { Series } from "./series.ts";
import type { SeriesStore } from "./series-store.ts";

export interface CorrelationParts {
  readonly aggregations: Aggregations;
  readonly patterns: Patterns;
  readonly store: SeriesStore;
  /** Series that are held against each other: the first that there were and that are not silent. 0 for none. */
  readonly most: number;
  readonly windowMs: number;
}

export class CorrelationWatch {
  readonly #parts: CorrelationParts;
  /** Means by series. Null: to be read. */
  #means: Map<number, WindowMean[]> | null = null;

  constructor(parts: CorrelationParts) {
    this.#parts = parts;
  }

  /** A transaction has failed: read again what was remembered. */
  forget(): void {
    this.#means = null;
  }

  /** Patterns that begin, now that windows of this series are over. */
  look(series: Series): PatternEvent[] {
    const { aggregations, most, store } = this.#parts;
    if (most === 0) return [];
    const means = this.#means ??= this.#read();
    const mine = aggregations.means(series.number);
    if (!means.has(series.number) && means.size >= most && !this.#makeRoom(means, mine)) return [];
    means.set(series.number, mine);
    if (mine.length < MIN_WINDOWS) return [];
    const found: PatternEvent[] = [];
    for (const [number, theirs] of means) {
      if (number === series.number || theirs.length < MIN_WINDOWS) continue;
      const other = store.find(number);
      if (!other) means.delete(number);
      else found.push(...this.#hold(series, other, mine, theirs));
    }
    return found;
  }

  /** Let go of a series that has been silent for all the windows that are looked at. */
  #makeRoom(means: Map<number, WindowMean[]>, mine: readonly WindowMean[]): boolean {
    const before = mine.at(-1)!.start - CORRELATION_WINDOWS * this.#parts.windowMs;
    for (const [number, theirs] of means) {
      if (theirs.length === 0 || theirs.at(-1)!.start < before) return means.delete(number);
    }
    return false;
  }

  #hold(a: Series, b: Series, mine: WindowMean[], theirs: WindowMean[]): PatternEvent[] {
    const { patterns, windowMs } = this.#parts;
    // Whoever is known longer stands first, so that two make one pair.
    const pair = a.number < b.number ? [a, b] as const : [b, a] as const;
    const active = patterns.active("correlation", ...pair);
    if (active) {
      const sign = Math.sign(Number(active.evidence.coefficient));
      if (!holdsCorrelation(mine, theirs, sign)) patterns.end(active, mine.at(-1)!.start + windowMs);
      return [];
    }
    const found = findCorrelation(mine, theirs);
    // What both did long ago is no news; of the newest window the other may not have heard yet.
    if (!found || found.to < mine.at(-2)!.start) return [];
    const way = found.coefficient > 0 ? "together" : "against each other";
    return [patterns.begin("correlation", [...pair], {
      description: `${titleOf(pair[0])} and ${titleOf(pair[1])} move ${way} (${shown(found.coefficient)})`,
      confidence: Math.abs(found.coefficient),
      start: found.from,
      end: found.to + windowMs,
      evidence: {
        coefficient: found.coefficient,
        statistic: found.statistic,
        windows: found.windows,
      },
    }, true)];
  }

  #read(): Map<number, WindowMean[]> {
    const { aggregations, most } = this.#parts;
    return new Map(aggregations.firstSeries(most).map((number) => [number, aggregations.means(number)]));
  }
}
