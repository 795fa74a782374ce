/**
 * The contract of akosha: observations in, patterns, anomalies, insights and aggregations out.
 *
 * @module
 */
import * as v from "valibot";
import { defineContract } from "../../src/protocol/contract.ts";
import { count, cursor, limit, nextCursor } from "../../src/protocol/fields.ts";
import { SERVICE_PORTS } from "../../src/protocol/service-ports.ts";
import { prompts } from "./contract-prompts.ts";
import * as field from "./fields.ts";

const events = {
  "pattern.detected": {
    description: "A pattern begins to show; it is not told again while it goes on",
    channels: (
      data: { readonly pattern_type: string },
    ): readonly string[] => [`patterns:${data.pattern_type}`],
    data: v.object(field.pattern),
  },
  "anomaly.detected": {
    description: "A value is far from what is expected; told once for values that follow each other",
    channels: ["anomalies"],
    data: v.object(field.anomaly),
  },
  "insight.generated": {
    description: "What anomalies and patterns mean together, with the ids of those that it rests on",
    channels: ["insights"],
    data: v.object(field.insight),
  },
  "aggregation.completed": {
    description: "A window of a series is over",
    channels: ["metrics"],
    data: v.object(field.aggregation),
  },
} as const;

const page = { limit: v.nullish(limit()), cursor: v.nullish(cursor) };

const requests = {
  record_observations: {
    description:
      "Take over observations, all or none. They are judged in the order given, which should be that of time",
    access: "write",
    effect: { destructive: false },
    input: v.object({
      observations: v.pipe(
        v.array(field.observation),
        v.minLength(1),
        v.maxLength(field.MAX_OBSERVATIONS),
        v.description("1 to 1,000 of {metric, value, source?, labels?, at?}"),
      ),
    }),
    output: v.object({
      recorded: count("Observations that count"),
      out_of_order: count("Those of them that came after newer ones"),
      late: count("Observations that came too late and do not count"),
      anomalies: v.pipe(v.array(v.string()), v.description("Ids of the anomalies that were found")),
      patterns: v.pipe(v.array(v.string()), v.description("Ids of the patterns that were found")),
    }),
  },
  get_patterns: {
    description: "Patterns, newest first",
    access: "read",
    input: v.object({ category: v.nullish(field.category), ...page }),
    output: v.object({
      category: v.pipe(v.string(), v.description("The one that was asked for, or all")),
      patterns: v.array(v.object(field.patternRow)),
      count: count("Patterns on this page"),
      next_cursor: nextCursor,
    }),
  },
  get_anomalies: {
    description: "Anomalies, newest first",
    access: "read",
    input: v.object({ metric: v.nullish(field.metric), ...page }),
    output: v.object({
      anomalies: v.array(v.object(field.anomalyRow)),
      count: count("Anomalies on this page"),
      next_cursor: nextCursor,
    }),
  },
  get_insights: {
    description: "Insights with all evidence so far, newest first",
    access: "read",
    input: v.object(page),
    output: v.object({
      insights: v.array(v.object(field.insightRow)),
      count: count("Insights on this page"),
      next_cursor: nextCursor,
    }),
  },
  get_aggregations: {
    description: "Aggregations, newest first",
    access: "read",
    input: v.object({ metric: v.nullish(field.metric), ...page }),
    output: v.object({
      aggregations: v.array(v.object(field.aggregation)),
      count: count("Aggregations on this page"),
      next_cursor: nextCursor,
    }),
  },
  list_metrics: {
    description: "Series that are known, newest first",
    access: "read",
    input: v.object({ metric: v.nullish(field.metric), ...page }),
    output: v.object({
      metrics: v.array(v.object(field.seriesRow)),
      count: count("Series on this page"),
      next_cursor: nextCursor,
    }),
  },
} as const;

export const akosha = defineContract({
  name: "akosha",
  greeting: "Connected to Akosha analytics",
  ports: SERVICE_PORTS.akosha,
  channels: {
    patterns: {
      description: "Patterns of one category: burst, trend, change_point, period or correlation",
      id: "pattern_type",
      snapshot: v.object({ patterns: v.array(v.object(field.patternRow)) }),
    },
    anomalies: {
      description: "Values that stand out",
      snapshot: v.object({ anomalies: v.array(v.object(field.anomalyRow)) }),
    },
    insights: {
      description: "What anomalies and patterns mean together",
      snapshot: v.object({ insights: v.array(v.object(field.insightRow)) }),
    },
    metrics: {
      description: "Windows that are over, with their figures",
      snapshot: v.object({ aggregations: v.array(v.object(field.aggregation)) }),
    },
  },
  events,
  requests,
  prompts,
});

export type AkoshaContract = typeof akosha;
