/**
 * Cursors of the tools that read events: a position as text, which a model hands on unread.
 *
 * @module
 */
import * as v from "valibot";
import type { Position } from "../protocol/event.ts";

/** Where a reader begins: a position, or the oldest event that is kept. */
export type Since = Position | "start";

export const SinceInput = v.union([v.string(), v.pipe(v.number(), v.safeInteger(), v.minValue(0))]);

/** Such as `0a1b2c3d4e5f:17`. */
export function writeCursor({ epoch, seq }: Position): string {
  return `${epoch}:${seq}`;
}

/**
 * What a cursor says. A bare seq is one of the present epoch.
 *
 * @returns null for what is no cursor
 */
export function readCursor(since: string | number, { epoch }: Position): Since | null {
  if (since === "start") return since;
  const [, given, digits] = /^(?:(.{1,100}):)?(\d{1,16})$/s.exec(String(since)) ?? [];
  const seq = Number(digits);
  return Number.isSafeInteger(seq) ? { epoch: given ?? epoch, seq } : null;
}
