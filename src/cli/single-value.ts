/**
 * The value of a flag that has one.
 *
 * @module
 */
import { SettingsError } from "../settings/settings-error.ts";

/**
 * Reads it for commander, which would take the next flag for a value, and the last of several.
 *
 * @param value What stands for it in the help.
 * @returns what throws `SettingsError` where there is no value, or another one already.
 */
export function singleValue(flag: string, value: string): (text: string, before?: string) => string {
  return (text, before) => {
    if (text === "" || text.startsWith("--")) {
      throw new SettingsError([`${flag}: expected a value (${value}), got none`]);
    }
    if (before !== undefined) throw new SettingsError([`${flag}: expected it once, got it twice`]);
    return text;
  };
}
