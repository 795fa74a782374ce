/**
 * Settings of one service from flags, environment, file and defaults, in this order of precedence.
 *
 * @module
 */
import { settingsFile, settingsFrom, type SettingsSources } from "./loader.ts";
import { readYaml } from "./read-yaml.ts";
import type { Settings } from "./schema.ts";

export interface LoadOptions extends SettingsSources {
  /** Text of the settings file. Absent: there is none. */
  readonly text?: string;
}

/**
 * Complete, checked settings. Pure: the caller reads the file.
 *
 * @throws {SettingsError} with every fault that was found: unknown key, wrong type, out of range, syntax, a key twice,
 * and settings that do not go together. Each names where the value came from (file and line, variable or flag), the
 * path, what was expected and what came. A secret is never shown.
 * @throws {TypeError} where the service has the name of a block.
 */
export function loadSettings({ text, ...sources }: LoadOptions): Settings {
  if (text === undefined) return settingsFrom(sources);
  return settingsFrom(sources, readYaml(text, sources.file ?? settingsFile(sources.service)));
}
