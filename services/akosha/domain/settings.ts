/**
 * The service's own block of the settings.
 *
 * @module
 */
import * as v from "valibot";
import { wholeSetting } from "../../../src/protocol/own-settings.ts";
import { LABEL_NAME, METRIC_NAME } from "../fields.ts";
import { DEFAULT_FEEDS } from "./default-feeds.ts";

const finite = v.pipe(v.number("expected a number"), v.finite("expected a number that is finite"));
const pointer = v.pipe(
  v.string(),
  v.regex(/^(\/[^/]{1,100}){1,10}$/, "expected a JSON pointer into the event's data, like /result/count"),
);

const rule = v.pipe(
  v.strictObject({
    event: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_.]{0,99}$/, "expected the name of an event")),
    metric: v.pipe(v.string(), v.regex(METRIC_NAME, "expected a name of letters, digits, _, -, ., : and /")),
    value: v.union([finite, pointer], "expected a number, or a JSON pointer into the event's data"),
    factor: v.optional(finite, 1),
    labels: v.optional(
      v.pipe(
        v.record(v.pipe(v.string(), v.regex(LABEL_NAME, "expected a label's name")), pointer),
        v.check((labels) => Object.keys(labels).length <= 16, "expected at most 16 labels"),
      ),
      {},
    ),
    expected: v.optional(finite),
    scale: v.optional(v.pipe(finite, v.minValue(1e-100, "expected a number above 0"))),
  }),
  v.check(
    ({ expected, scale }) => expected === undefined || scale !== undefined,
    "expected a scale beside what is expected",
  ),
);

const channel = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9_-]*(:[^*]{1,200}|:\*)?$/, "expected a channel like global, test:* or quality:shop"),
);

const feed = v.strictObject({
  url: v.pipe(v.string(), v.regex(/^wss?:\/\/[^\s@]+$/, "expected an address like ws://127.0.0.1:8686")),
  token: v.optional(v.pipe(v.string(), v.minLength(1, "expected a token"))),
  channels: v.pipe(
    v.record(
      channel,
      v.pipe(
        v.array(rule),
        v.minLength(1, "expected at least one rule"),
        v.maxLength(100, "expected at most 100 rules"),
      ),
    ),
    v.check((channels) => Object.keys(channels).length > 0, "expected at least one channel"),
    v.check((channels) => Object.keys(channels).length <= 64, "expected at most 64 channels"),
    v.check(
      (channels) =>
        Object.keys(channels).every((name) =>
          name.endsWith(":*") || !(`${name.split(":")[0]}:*` in channels)
        ),
      "expected either all channels of a kind (kind:*) or single ones, not both",
    ),
  ),
});

/** What holds is said in `settings/akosha.yaml`. */
export const akoshaSettings = v.pipe(
  v.strictObject({
    anomaly_threshold: v.optional(
      v.pipe(
        v.number("expected a number from 2 to 100"),
        v.minValue(2, "expected a number from 2 to 100"),
        v.maxValue(100, "expected a number from 2 to 100"),
      ),
      4.3,
    ),
    window_seconds: wholeSetting(1, 86_400, 60),
    lateness_seconds: wholeSetting(0, 86_400, 30),
    future_seconds: wholeSetting(0, 86_400, 300),
    series: wholeSetting(1, 100_000, 5_000),
    series_per_metric: wholeSetting(1, 100_000, 500),
    series_idle_seconds: wholeSetting(1, 315_360_000, 2_592_000),
    observations_per_series: wholeSetting(256, 100_000, 1_000),
    findings_kept: wholeSetting(1, 1_000_000, 5_000),
    aggregations_kept: wholeSetting(1, 10_000_000, 50_000),
    incident_seconds: wholeSetting(1, 86_400, 600),
    correlated_series: wholeSetting(0, 256, 64),
    feeds: v.optional(
      v.pipe(
        v.record(
          v.pipe(
            v.string(),
            v.regex(/^[A-Za-z0-9][\w.-]{0,63}$/, "expected a name of letters, digits, _, -, ."),
          ),
          feed,
        ),
        v.check((feeds) => Object.keys(feeds).length <= 32, "expected at most 32 feeds"),
      ),
      DEFAULT_FEEDS,
    ),
  }),
  v.check(
    ({ window_seconds, lateness_seconds }) => lateness_seconds <= 10 * window_seconds,
    "expected lateness_seconds to be at most ten times window_seconds",
  ),
);

export type AkoshaSettings = v.InferOutput<typeof akoshaSettings>;
export type FeedSettings = v.InferOutput<typeof feed>;
export type FeedRule = v.InferOutput<typeof rule>;
