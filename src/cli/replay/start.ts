/**
 * Where in a record a replay begins: `90s` after its start, at the event `4711`, or at a time of the day it was made.
 *
 * @module
 */
import type { RecordEntry, RecordHeader } from "../../recording/record.ts";
import { SettingsError } from "../../settings/settings-error.ts";

export type Start =
  | { readonly by: "offset"; readonly ms: number }
  | { readonly by: "seq"; readonly seq: number }
  | { readonly by: "time"; readonly ms: number };

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** @throws {SettingsError} where the text is none of the three. */
export function readStart(text: string): Start {
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text))) return { by: "seq", seq: Number(text) };
  const [, count, unit] = /^(\d{1,10}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text) ?? [];
  if (count !== undefined) return { by: "offset", ms: Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS] };
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? Date.parse(text) : NaN;
  if (Number.isFinite(ms)) return { by: "time", ms };
  throw new SettingsError([
    `--from: expected a time since the start like 90s, a seq like 4711, or a moment like 2026-01-31T12:00:00Z, ` +
    `got ${JSON.stringify(text.slice(0, 60))}`,
  ]);
}

/** Whether a replay that begins there begins with this line, or before it. */
export function isFrom(start: Start, { started_at }: RecordHeader, entry: RecordEntry): boolean {
  if (start.by === "offset") return entry.at >= start.ms;
  if (start.by === "time") return Date.parse(started_at) + entry.at >= start.ms;
  return entry.type === "event" && entry.seq !== undefined && entry.seq >= start.seq;
}
