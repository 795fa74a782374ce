/**
 * How two states of an element become one, and in which order elements lie. The rules are those of Excalidraw's own
 * editors, so that all of them come to the same diagram whatever order they hear of changes in.
 *
 * @module
 */
import type { JsonObject } from "../../../src/protocol/json.ts";

/** What decides between two states of one element. */
export interface Revision {
  /** Grows with every change of the element. */
  readonly version: number;
  /** A random number of the editor: tells two changes of one version apart. */
  readonly nonce: number;
}

/** Whether `next` takes the place of `present`: the higher version, then the lower nonce. What is the same stays. */
export function supersedes(next: Revision, present: Revision): boolean {
  if (next.version !== present.version) return next.version > present.version;
  return next.nonce < present.nonce;
}

/**
 * From the back to the front: elements with Excalidraw's fractional `index` by it, those of one index by id; above them
 * those without, as they were added.
 */
export function inOrder<E extends JsonObject>(elements: readonly E[]): E[] {
  const indexed = elements.filter(({ index }) => typeof index === "string");
  const others = elements.filter(({ index }) => typeof index !== "string");
  indexed.sort((a, b) => compare(String(a.index), String(b.index)) || compare(String(a.id), String(b.id)));
  return [...indexed, ...others];
}

/** By UTF-16 units, as editors compare, whatever the language of the machine. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
