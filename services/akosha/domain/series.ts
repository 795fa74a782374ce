/**
 * What is remembered of one series: figures in its row, and its newest values.
 *
 * @module
 */
import type { SeriesName } from "./observation.ts";
import type { Prior } from "./outlier.ts";

/** Newest values that detectors look at. */
export const WINDOW = 256;

/** A window that is still open. */
export interface OpenWindow {
  readonly start: number;
  count: number;
  min: number;
  max: number;
  sum: number;
}

/** Kept as JSON in the series' row. */
export interface SeriesState {
  count: number;
  last_value: number;
  /** Time of the newest observation. */
  last_at: number;
  /** When one came in last, by our clock. */
  heard_at: number;
  out_of_order: number;
  late: number;
  /** Values before it are of an earlier level. */
  since: number | null;
  prior: Prior;
  /** The anomaly that goes on, how many usual values have followed it, and how many values it has in all. */
  excursion: { readonly id: string; usual: number; length: number } | null;
  /** The usual gap before the burst that goes on. */
  burst_gap_ms: number | null;
  windows: OpenWindow[];
  /** Windows that end by then are over. */
  over_until: number;
}

export interface Series extends SeriesName {
  readonly number: number;
  readonly state: SeriesState;
  /** Times and values of the newest observations, in order of time; at most {@link WINDOW}. */
  readonly times: number[];
  readonly values: number[];
}

export function newState(prior: Prior): SeriesState {
  return {
    count: 0,
    last_value: 0,
    last_at: Number.MIN_SAFE_INTEGER,
    heard_at: 0,
    out_of_order: 0,
    late: 0,
    since: null,
    prior,
    excursion: null,
    burst_gap_ms: null,
    windows: [],
    over_until: Number.MIN_SAFE_INTEGER,
  };
}

/** Put a value in its place by time, after those of the same moment. */
export function remember({ times, values }: Series, at: number, value: number): void {
  let index = times.length;
  while (index > 0 && times[index - 1]! > at) index--;
  times.splice(index, 0, at);
  values.splice(index, 0, value);
  if (times.length <= WINDOW) return;
  times.shift();
  values.shift();
}

/** Values of the present level, the newest `most` of them, with their times. */
export function presentLevel(
  { times, values, state: { since } }: Series,
  most: number,
): { times: number[]; values: number[] } {
  const first = since === null ? 0 : times.findIndex((time) => time >= since);
  const start = Math.max(first < 0 ? times.length : first, times.length - most);
  return { times: times.slice(start), values: values.slice(start) };
}

/** Count a value into its window. */
export function fill(state: SeriesState, at: number, value: number, windowMs: number): void {
  const start = Math.floor(at / windowMs) * windowMs;
  const open = state.windows.find((window) => window.start === start);
  if (open) {
    open.count++;
    open.min = Math.min(open.min, value);
    open.max = Math.max(open.max, value);
    open.sum += value;
  } else {
    state.windows.push({ start, count: 1, min: value, max: value, sum: value });
    state.windows.sort((a, b) => a.start - b.start);
  }
}
