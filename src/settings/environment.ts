/**
 * Names of environment variables, and what is read from them.
 *
 * @module
 */
import { nearest } from "./nearest.ts";
import { SETTING_PATHS, settingAt } from "./schema.ts";
import type { SettingPath } from "./schema.ts";
import { environmentSuffixes } from "./setting.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable that is set, and the settings that it is for. */
export interface Variable {
  readonly name: string;
  readonly text: string;
  readonly paths: readonly SettingPath[];
}

/** Variables that are read where the service's own is not set. */
const FALLBACKS: Readonly<Record<string, string>> = { CRACKERJACK_JWT_SECRET: "BODAI_SHARED_SECRET" };

/** `{SERVICE}_{SUFFIX}`, like `SESSION_BUDDY_PORT`. */
export function environmentName(service: string, suffix: string): string {
  return `${service.toUpperCase().replaceAll("-", "_")}_${suffix}`;
}

/** The variables of a service that are set. An empty one counts as not set. */
export function readEnvironment(service: string, environment: Environment): Variable[] {
  const groups = new Map<string, { suffixes: readonly string[]; paths: SettingPath[] }>();
  for (const path of SETTING_PATHS) {
    const suffixes = environmentSuffixes(settingAt(path));
    const group = groups.get(suffixes.join());
    if (group) group.paths.push(path);
    else if (suffixes.length > 0) groups.set(suffixes.join(), { suffixes, paths: [path] });
  }
  return [...groups.values()].flatMap(({ suffixes, paths }) => {
    const names = suffixes.map((suffix) => environmentName(service, suffix));
    const name = names.flatMap((own) => [own, FALLBACKS[own] ?? own]).find((own) => environment[own]);
    return name === undefined ? [] : [{ name, text: environment[name]!, paths }];
  });
}

/** A variable that is set and that nothing reads, and the one that is probably meant. */
export interface Misspelt {
  readonly name: string;
  readonly meant: string;
}

/** Variables that look like a service's own. Of those that look like none of them nothing is said: others have some, too. */
export function misspeltVariables(service: string, environment: Environment): Misspelt[] {
  const known = SETTING_PATHS.flatMap((path) => environmentSuffixes(settingAt(path)));
  const prefix = environmentName(service, "");
  return Object.keys(environment).flatMap((name) => {
    const suffix = name.slice(prefix.length);
    if (!environment[name] || !name.startsWith(prefix) || known.includes(suffix)) return [];
    const meant = nearest(suffix, known.map((candidate) => candidate.toLowerCase()));
    return meant === undefined ? [] : [{ name, meant: environmentName(service, meant.toUpperCase()) }];
  });
}
