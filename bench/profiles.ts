/**
 * Where the processor time of servers went, by row and contestant.
 *
 * @module
 */
import type { Share } from "./subjects/profile.ts";

/** Smaller shares are put together. */
const LEAST_SHARE = 0.02;

export class Profiles {
  readonly #rows = new Map<string, Map<string, readonly Share[]>>();

  add(row: string, contestant: string, shares: readonly Share[]): void {
    const contestants = this.#rows.get(row) ?? new Map<string, readonly Share[]>();
    this.#rows.set(row, contestants.set(contestant, shares));
  }

  /** As lines: for each row and contestant the shares in percent. */
  lines(): string[] {
    return [...this.#rows].flatMap(([row, contestants]) => [
      `where processor time goes: ${row}`,
      ...[...contestants].map(([contestant, shares]) => `  ${contestant}: ${inWords(shares)}`),
    ]);
  }
}

function inWords(shares: readonly Share[]): string {
  const large = shares.filter(({ share }) => share >= LEAST_SHARE);
  const rest = shares.reduce((sum, { share }) => share < LEAST_SHARE ? sum + share : sum, 0);
  return [...large, ...(rest > 0 ? [{ what: "others", share: rest }] : [])]
    .map(({ what, share }) => `${Math.round(100 * share)} % ${what}`).join(", ");
}
