/**
 * The fields that the contract of akosha is made of, each with its bounds.
 *
 * Optional fields of requests may also be null: clients that serialise a model send one for what is not set.
 *
 * @module
 */
import * as v from "valibot";
import { between, count, number, text, time, told } from "../../src/protocol/fields.ts";

export const METRIC_NAME = /^[A-Za-z_][\w.:/-]{0,199}$/;
export const LABEL_NAME = /^[A-Za-z_][\w.-]{0,63}$/;
/** Larger values could not be reckoned with. */
export const MAX_VALUE = 1e100;
export const MAX_OBSERVATIONS = 1_000;
export const MAX_LABELS = 16;

export const CATEGORIES = ["burst", "trend", "change_point", "period", "correlation"] as const;
export type Category = (typeof CATEGORIES)[number];

export const category = v.pipe(v.picklist(CATEGORIES), v.description("Kind of the pattern"));
export const metric = v.pipe(
  v.string(),
  v.regex(METRIC_NAME, "Expected a name of letters, digits, _, -, ., : and /"),
  v.description("Name of the metric: letters, digits, _, -, ., : and /, at most 200"),
);
export const source = text(1, 100, "Who observed it; `api` where it is left out");
export const labels = v.pipe(
  v.record(
    v.pipe(v.string(), v.regex(LABEL_NAME, "Expected a label's name of letters, digits, _, - and .")),
    v.pipe(v.string(), v.maxLength(256)),
  ),
  v.check((labels) => Object.keys(labels).length <= MAX_LABELS, "Expected at most 16 labels"),
  v.description(
    "At most 16 of them. Each set of values is a series of its own, of which there are only so many",
  ),
);
export const value = v.pipe(
  v.number(),
  v.finite(),
  v.minValue(-MAX_VALUE),
  v.maxValue(MAX_VALUE),
  v.description("A finite number between -1e100 and 1e100"),
);
export const at = text(
  1,
  40,
  "When it was observed: ISO 8601 with a time zone, from the year 1500, and not in the future. Default: now",
);

export const observation = v.object({
  metric,
  value,
  source: v.nullish(source),
  labels: v.nullish(labels),
  at: v.nullish(at),
});

export const sourceTold = told("Who observed it");
export const labelsTold = v.pipe(v.record(v.string(), v.string()), v.description("Labels of the series"));
const metricTold = told("Name of the metric");

export const confidence = between(0, 1, "How sure it is, from 0 to 1");
export const severity = v.pipe(
  v.picklist(["low", "medium", "high", "critical"]),
  v.description("By how many times the score passes its threshold; next severities begin at 1.5, 2.5 and 5"),
);

const span = v.object({
  start: time("First observation or window"),
  end: time("Last observation or window"),
});
const seriesTold = v.object({ metric: metricTold, source: sourceTold, labels: labelsTold });

export const pattern = {
  pattern_id: told("Id of the pattern (ULID)"),
  pattern_type: category,
  description: told("The pattern in a sentence"),
  confidence,
  metrics: v.pipe(
    v.array(seriesTold),
    v.description("The series that show it: one, or two for a correlation"),
  ),
  window: v.pipe(span, v.description("The time in which it shows")),
  evidence: v.pipe(
    v.record(v.string(), v.union([v.number(), v.string()])),
    v.description("The figures that it was told by"),
  ),
};

export const anomaly = {
  anomaly_id: told("Id of the anomaly (ULID)"),
  anomaly_type: v.pipe(v.picklist(["spike", "drop"]), v.description("Above or below what was expected")),
  severity,
  description: told("The anomaly in a sentence"),
  metrics: v.object({
    metric: metricTold,
    value: number("What was observed"),
    expected: number("What the values before are around"),
    z_score: number("How far it is off, in robust standard deviations; between -1000 and 1000"),
    source: sourceTold,
    labels: labelsTold,
    observed_at: time("When it was observed"),
  }),
};

export const insight = {
  insight_id: told("Id of the insight (ULID)"),
  insight_type: v.pipe(
    v.picklist(["incident", "recurrence", "shift", "related"]),
    v.description(
      "incident: anomalies of one subject. recurrence: the same series again and again. shift: a new level or a trend. " +
        "related: two that move together are both off",
    ),
  ),
  title: told("The insight in a few words"),
  description: told("The insight in a sentence or two"),
  data: v.object({
    evidence: v.pipe(
      v.array(v.string()),
      v.description("Ids of the anomalies and patterns that it rests on"),
    ),
    subject: told("What it is about, such as a project"),
    metrics: v.pipe(v.array(v.string()), v.description("Names of the metrics")),
  }),
};

export const aggregation = {
  aggregation_id: told("Id of the aggregation (ULID)"),
  aggregation_type: v.literal("tumbling_window"),
  record_count: count("Observations in the window"),
  summary: v.object({
    metric: metricTold,
    source: sourceTold,
    labels: labelsTold,
    window: span,
    count: count("Observations in the window"),
    min: v.number(),
    max: v.number(),
    mean: v.number(),
    p50: number("Median. This and the next two: of the newest observations that are kept"),
    p95: number("95th percentile"),
    p99: number("99th percentile"),
  }),
};

export const ended = v.pipe(v.nullable(time("When it was over")), v.description("Null while it goes on"));

/** What an anomaly's list shows beyond its event. */
export const anomalyRow = {
  ...anomaly,
  peak: v.object({ value: v.number(), z_score: v.number() }),
  observations: count("Values of the excursion so far that stand out"),
  ended_at: ended,
};

export const patternRow = { ...pattern, ended_at: ended };
export const insightRow = { ...insight, created_at: time("When it was first seen") };

export const seriesRow = {
  metric: metricTold,
  source: sourceTold,
  labels: labelsTold,
  count: count("Observations so far"),
  last_value: number("The newest one"),
  last_at: time("When the newest one was observed"),
  out_of_order: count("Observations that came after newer ones, in time to count"),
  late: count("Observations that came too late and do not count"),
};
