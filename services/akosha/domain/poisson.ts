/**
 * The Poisson distribution's upper tail.
 *
 * @module
 */

/** How likely `count` or more events are where `expected` are expected. Exact also where it is very small. */
export function poissonTail(count: number, expected: number): number {
  if (count <= 0) return 1;
  if (expected <= 0) return 0;
  if (expected >= count) {
    let below = 0;
    for (let k = 0, term = Math.exp(-expected); k < count; k++, term *= expected / k) below += term;
    return Math.max(0, 1 - below);
  }
  let term = Math.exp(-expected);
  for (let k = 1; k <= count; k++) term *= expected / k;
  let sum = 0;
  // Terms shrink from here on, as fewer than `count` are expected.
  for (let k = count; term > sum * 1e-16; k++) {
    sum += term;
    term *= expected / (k + 1);
  }
  return sum;
}
