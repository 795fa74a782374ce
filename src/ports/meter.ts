/**
 * Numbers about ourselves go out by this door. Handles are taken once and counted on often, so that counting on a
 * hot path costs an addition.
 *
 * @module
 */

export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  /** Add `by` (default 1). */
  add(by?: number): void;
}

export interface Gauge {
  set(value: number): void;
}

export interface Histogram {
  /** Record one value, in the unit that the metric's name ends with. */
  observe(value: number): void;
}

/** `name` is one of the metrics of `metrics/catalog.ts`; labels are those that its row lists. */
export interface Meter {
  counter(name: string, labels?: Labels): Counter;
  gauge(name: string, labels?: Labels): Gauge;
  histogram(name: string, labels?: Labels): Histogram;
}

const nothing = { add() {}, set() {}, observe() {} };

/** Counts nothing. */
export const silentMeter: Meter = { counter: () => nothing, gauge: () => nothing, histogram: () => nothing };
