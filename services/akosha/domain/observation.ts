/**
 * Observations as they are reckoned with: checked, with a time, and with the key of their series.
 *
 * @module
 */
import { Refusal } from "../../../src/protocol/errors.ts";
import { NO_PRIOR, type Prior } from "./outlier.ts";

export interface SeriesName {
  readonly metric: string;
  readonly source: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Observation {
  readonly series: SeriesName;
  readonly key: string;
  readonly value: number;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly prior: Prior;
}

/** As a request brings it, already checked against the contract. */
export interface ObservationInput {
  readonly metric: string;
  readonly value: number;
  readonly source?: string | null | undefined;
  readonly labels?: Readonly<Record<string, string>> | null | undefined;
  readonly at?: string | null | undefined;
}

/** Before it nothing was observed. */
const EARLIEST = Date.UTC(1500, 0, 1);
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)$/;

export function observationOf(
  { metric, value, source, labels, at }: ObservationInput,
  now: number,
  futureMs: number,
  prior: Prior = NO_PRIOR,
): Observation | string {
  const time = at == null ? now : timeOf(at);
  if (time === null) return "expected a time like 2026-01-31T12:00:00Z, with a time zone";
  if (time < EARLIEST) return "expected a time after the year 1500";
  if (time > now + futureMs) {
    return `expected a time that is at most ${futureMs / 1_000} s ahead of the clock`;
  }
  const series = { metric, source: source ?? "api", labels: inOrder(labels ?? {}) };
  return { series, key: keyOf(series), value, at: time, prior };
}

/** @throws {Refusal} INVALID_DATA, which names the field */
export function observationsOf(
  inputs: readonly ObservationInput[],
  now: number,
  futureMs: number,
): Observation[] {
  return inputs.map((input, index) => {
    const observation = observationOf(input, now, futureMs);
    if (typeof observation !== "string") return observation;
    throw new Refusal("INVALID_DATA", `Invalid field 'observations.${index}.at': ${observation}`);
  });
}

export function timeOf(text: string): number | null {
  const time = ISO.test(text) ? Date.parse(text) : NaN;
  // A day that its month does not have would count as one of the next.
  const day = Date.parse(`${text.slice(0, 10)}T00:00:00Z`);
  const isReal = Number.isFinite(day) && new Date(day).toISOString().slice(0, 10) === text.slice(0, 10);
  return isReal && Number.isFinite(time) ? Math.trunc(time) : null;
}

function inOrder(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => a < b ? -1 : 1));
}

/** Equal where metric, source and labels are. */
export function keyOf({ metric, source, labels }: SeriesName): string {
  return JSON.stringify([metric, source, Object.entries(labels)]);
}

/** What a series is about: its first label where it has one, else its source's metric. */
export function subjectOf({ metric, source, labels }: SeriesName): string {
  const [label] = Object.entries(labels);
  return label ? `${label[0]} '${label[1]}'` : `${source}'s ${metric}`;
}

/** A series as a sentence names it. */
export function titleOf({ metric, labels }: SeriesName): string {
  const listed = Object.entries(labels).map(([name, value]) => `${name} '${value}'`);
  return listed.length === 0 ? metric : `${metric} of ${listed.join(", ")}`;
}

/** A number as a sentence shows it. */
export function shown(value: number): string {
  return String(Number(value.toPrecision(4)));
}
