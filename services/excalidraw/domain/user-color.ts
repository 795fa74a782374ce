/**
 * A colour for whoever has chosen none: the same for a user everywhere.
 *
 * @module
 */

/** Apart from each other, and readable on white. */
const COLORS = [
  "#e03131",
  "#c2255c",
  "#9c36b5",
  "#6741d9",
  "#3b5bdb",
  "#1971c2",
  "#0c8599",
  "#099268",
  "#2f9e44",
  "#66a80f",
  "#f08c00",
  "#e8590c",
] as const;

export function colorOf(userId: string): string {
  let hash = 0;
  for (let index = 0; index < userId.length; index++) {
    hash = (Math.imul(hash, 31) + userId.charCodeAt(index)) >>> 0;
  }
  return COLORS[hash % COLORS.length]!;
}
