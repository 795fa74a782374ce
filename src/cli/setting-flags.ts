/**
 * The flags that are settings (`settings/flags.ts`), for commands that the library reads.
 *
 * @module
 */
import { type Command, Option } from "commander";
import { FLAGS, type Flags } from "../settings/flags.ts";
import { singleValue } from "./single-value.ts";

/** What commander has read, by its names for the flags. */
export type GivenFlags = Readonly<Record<string, string | boolean | undefined>>;

export function withSettingFlags(command: Command): Command {
  for (const { flag, value, meaning } of FLAGS) {
    if (flag === "--help") continue;
    if (value === undefined) command.option(flag, meaning);
    else command.option(`${flag} <${value}>`, meaning, singleValue(flag, value));
  }
  return command;
}

/** As the loader of settings takes them. */
export function settingFlags(given: GivenFlags): Flags {
  const values = new Map<string, string>();
  let settingsFile: string | undefined;
  for (const { flag } of FLAGS) {
    const value = given[new Option(flag).attributeName()];
    if (value === undefined) continue;
    if (flag === "--settings") settingsFile = String(value);
    else values.set(flag, String(value));
  }
  return { settingsFile, help: false, values };
}
