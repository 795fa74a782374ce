/**
 * The same rules for settings that a program makes itself as for those of a file.
 *
 * @module
 */
import * as v from "valibot";
import { crossChecks } from "./cross-checks.ts";
import { meantHint, nearest } from "./nearest.ts";
import { BLOCKS, SETTING_PATHS, settingAt, valueAt } from "./schema.ts";
import type { SettingPath, Settings, SettingsPart } from "./schema.ts";
import { printedPath, printedValue, SettingsError } from "./settings-error.ts";

/**
 * Check complete settings. The service's own block is not looked at.
 *
 * @param kinds as in `SettingsService`
 * @throws {SettingsError} where a value is of the wrong type or out of range, or settings do not go together. Lines
 * begin with `Settings: {path}: `.
 */
export function checkSettings(settings: Settings, kinds?: readonly string[]): void {
  const problems = SETTING_PATHS.flatMap((path) => {
    const { expected, secret, faultsIn } = settingAt(path);
    const value = valueAt(settings, path);
    const inside = typeof value === "object" && value !== null ? faultsIn?.(value, kinds) ?? [] : [];
    if (inside.length > 0) {
      const place = (keys: readonly string[]) => printedPath([...path.split("."), ...keys]);
      return inside.map(({ keys, sentence }) => `Settings: ${place(keys)}: ${sentence}`);
    }
    if (fits(settings, path)) return [];
    return [`Settings: ${path}: expected ${expected}, got ${printedValue(value, secret)}`];
  });
  // A value of the wrong type may be one that the rules between settings cannot bear.
  if (problems.length === 0) {
    for (const { path, sentence } of crossChecks(settings, () => true)) {
      problems.push(`Settings: ${path}: ${sentence}`);
    }
  }
  if (problems.length > 0) throw new SettingsError(problems);
}

/**
 * Check the names of settings that a program gives. Types would have told, where it has any.
 *
 * @throws {SettingsError} where a block or a setting has a name that none has.
 */
export function checkNames(part: SettingsPart): void {
  const problems: string[] = [];
  const look = (path: string, known: readonly string[]) => {
    const key = path.split(".").at(-1)!;
    if (known.includes(key)) return;
    problems.push(`Settings: ${path}: expected a known setting${meantHint(nearest(key, known))}`);
  };
  const singles = SETTING_PATHS.filter((path) => !path.includes("."));
  for (const [name, value] of Object.entries(part)) {
    const keys = BLOCKS.get(name);
    if (!keys) look(name, [...BLOCKS.keys(), ...singles, "own"]);
    else for (const key of Object.keys(value ?? {})) look(`${name}.${key}`, keys);
  }
  if (problems.length > 0) throw new SettingsError(problems);
}

function fits(settings: Settings, path: (typeof SETTING_PATHS)[number]): boolean {
  const value = valueAt(settings, path);
  if (value === undefined) return settingAt(path).default === undefined;
  const { schema, follows } = settingAt(path);
  // One and a half times an odd rate is no whole number, and 0 goes with a rate of 0.
  return v.is(schema, value) || value === follows?.((other) => valueAt(settings, other as SettingPath));
}
