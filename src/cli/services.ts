/**
 * The services that come with the project, each loaded when it is asked for.
 *
 * @module
 */
import type { Service } from "../service/define-service.ts";
import { nearest } from "../settings/nearest.ts";
import { quoted, SettingsError } from "../settings/settings-error.ts";

/** By name, in the order in which they are started. */
export const SERVICES: Readonly<Record<string, () => Promise<Service>>> = {
  "session-buddy": async () =>
    (await import("../../services/session-buddy/mod.ts")).sessionBuddyService as unknown as Service,
  mahavishnu: async () =>
    (await import("../../services/mahavishnu/mod.ts")).mahavishnuService as unknown as Service,
  akosha: async () => (await import("../../services/akosha/mod.ts")).akoshaService as unknown as Service,
  crackerjack: async () =>
    (await import("../../services/crackerjack/mod.ts")).crackerjackService as unknown as Service,
  dhruva: async () => (await import("../../services/dhruva/mod.ts")).dhruvaService as unknown as Service,
  excalidraw: async () =>
    (await import("../../services/excalidraw/mod.ts")).excalidrawService as unknown as Service,
};

/**
 * @param command Begins the sentence where no service has this name.
 * @param others Words that may stand there too, and may be meant.
 * @throws {SettingsError}
 */
export function knownService(command: string, word: string, others: readonly string[] = []): string {
  const problems = unknownWord(`${command}: expected a service`, word, Object.keys(SERVICES), others);
  if (problems.length > 0) throw new SettingsError(problems);
  return word;
}

/**
 * What is wrong with a word that is to be one of several; nothing where it is.
 *
 * @param expected Begins the sentence.
 * @param others Words that may be meant as well.
 */
export function unknownWord(
  expected: string,
  word: string,
  known: readonly string[],
  others: readonly string[] = [],
): string[] {
  if (known.includes(word)) return [];
  const meant = nearest(word, [...known, ...others]);
  const hint = meant === undefined ? "" : `: did you mean "${meant}"?`;
  return [`${expected} of ${known.join(", ")}, got ${quoted(word)}${hint}`];
}
