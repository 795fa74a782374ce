/**
 * How much of the past each kind of channel keeps.
 *
 * @module
 */
import type { Retention } from "../ports/journal.ts";
import type { Contract } from "../protocol/contract.ts";
import type { Settings } from "../settings/schema.ts";

/** The settings for one kind win over the contract, and that over the settings for all. */
export function retentionByKind(contract: Contract, { history }: Settings): ReadonlyMap<string, Retention> {
  const standard = standardRetention(history);
  return new Map(
    Object.entries(contract.channels).map(([kind, { history: own = {} }]) => {
      const set = (Object.hasOwn(history.kinds, kind) ? history.kinds[kind] : undefined) ?? {};
      const ageMs = set.age_seconds === undefined ? own.ageMs : set.age_seconds * 1_000;
      return [kind, {
        events: set.events ?? own.events ?? standard.events,
        ageMs: ageMs ?? standard.ageMs,
        bytes: set.bytes ?? own.bytes ?? standard.bytes,
      }];
    }),
  );
}

/** For kinds of which neither the contract nor the settings say more. */
export function standardRetention(history: Settings["history"]): Retention {
  return { events: history.events, ageMs: history.age_seconds * 1_000, bytes: history.bytes };
}
