/**
 * The setting that changes the bounds of single kinds of channels: a map of maps, each fault told at its place.
 *
 * @module
 */
import * as v from "valibot";
import { meantHint, nearest } from "./nearest.ts";
import type { InnerFault, Setting } from "./setting.ts";
import { printedValue, quoted } from "./settings-error.ts";

/** Bounds of one kind. What is left out is as the contract says. */
export interface KindBounds {
  readonly events?: number | undefined;
  readonly age_seconds?: number | undefined;
  readonly bytes?: number | undefined;
}

export type BoundsByKind = Readonly<Record<string, KindBounds>>;

/** @param parts The settings for all kinds, by key: each takes the same values for one kind. */
export function kindBounds(
  parts: Readonly<Record<keyof KindBounds, Setting<number>>>,
  meaning: string,
): Setting<BoundsByKind> {
  const keys = Object.keys(parts);
  const one = v.strictObject({
    events: v.optional(parts.events.schema),
    age_seconds: v.optional(parts.age_seconds.schema),
    bytes: v.optional(parts.bytes.schema),
  });
  const faultsOfKind = (kind: string, bounds: unknown): InnerFault[] => {
    if (bounds === null || bounds === undefined) return [];
    if (typeof bounds !== "object" || Array.isArray(bounds)) {
      const sentence = `expected a map of ${keys.join(", ")}, got ${printedValue(bounds)}`;
      return [{ keys: [kind], sentence }];
    }
    return Object.entries(bounds).flatMap(([key, value]) => {
      const part = Object.hasOwn(parts, key) ? parts[key as keyof KindBounds] : undefined;
      if (part && (value === undefined || v.is(part.schema, value))) return [];
      const sentence = part
        ? `expected ${part.expected}, got ${printedValue(value)}`
        : `expected one of ${keys.join(", ")}, got ${quoted(key)}${meantHint(nearest(key, keys))}`;
      return [{ keys: [kind, key], sentence }];
    });
  };
  const expected = `a map from kinds of channels to maps of ${keys.join(", ")}`;
  return {
    schema: v.nullish(v.record(v.string(), v.nullish(one, {})), {}),
    expected,
    expectedText: expected,
    fromText: (written) => written,
    default: {},
    meaning,
    faultsIn(value, known) {
      // To the schema, a list is a map as well.
      if (Array.isArray(value)) return [{ keys: [], sentence: `expected ${expected}, got a list` }];
      return Object.entries(value).flatMap(([kind, bounds]) => {
        if (!known || known.includes(kind)) return faultsOfKind(kind, bounds);
        const choice = `a kind of channel that keeps history (${known.join(", ")})`;
        return [{
          keys: [kind],
          sentence: `expected ${choice}, got ${quoted(kind)}${meantHint(nearest(kind, known))}`,
        }];
      });
    },
  };
}

/** The kinds of a contract that keep history. */
export function kindsWithHistory(
  channels: Readonly<Record<string, { readonly ephemeral?: boolean | undefined }>>,
): string[] {
  return Object.keys(channels).filter((kind) => !channels[kind]!.ephemeral);
}
