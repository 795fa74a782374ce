/**
 * How an event of a feed becomes observations.
 *
 * @module
 */
import type { JsonObject } from "../../../src/protocol/json.ts";
import { MAX_VALUE, METRIC_NAME } from "../fields.ts";
import { type Observation, observationOf } from "./observation.ts";
import type { FeedRule } from "./settings.ts";

export interface FeedEvent {
  readonly event: string;
  readonly data: JsonObject;
  readonly timestamp: string;
}

export interface Applied {
  readonly observations: Observation[];
  /** Rules that fit the event and found no number, or no usable time, in it. */
  readonly ignored: number;
}

/** Characters of a label that are kept. */
const MAX_LABEL = 256;

export function applyRules(
  rules: readonly FeedRule[],
  event: FeedEvent,
  { source, now, futureMs }: { readonly source: string; readonly now: number; readonly futureMs: number },
): Applied {
  const observations: Observation[] = [];
  let ignored = 0;
  for (const rule of rules) {
    if (rule.event !== event.event) continue;
    const found = typeof rule.value === "number" ? rule.value : valueAt(event.data, rule.value);
    const value = typeof found === "number" ? found * rule.factor : NaN;
    const observation = Math.abs(value) <= MAX_VALUE && METRIC_NAME.test(rule.metric)
      ? observationOf(
        { metric: rule.metric, value, source, labels: labelsOf(rule, event.data), at: event.timestamp },
        now,
        futureMs,
        { expected: rule.expected ?? null, scale: rule.scale ?? null },
      )
      : null;
    if (observation === null || typeof observation === "string") ignored++;
    else observations.push(observation);
  }
  return { observations, ignored };
}

function labelsOf({ labels }: FeedRule, data: JsonObject): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, pointer] of Object.entries(labels)) {
    const value = valueAt(data, pointer);
    if (typeof value === "string") found[name] = value.slice(0, MAX_LABEL);
    else if (typeof value === "number" || typeof value === "boolean") found[name] = String(value);
  }
  return found;
}

/** RFC 6901. */
function valueAt(data: unknown, pointer: string): unknown {
  let value = data;
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
