/**
 * Names of environment variables, and what is read from them.
 *
 * @module
 */
import { SETTING_PATHS, settingAt } from "./schema.ts";
import type { SettingPath } from "./schema.ts";

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
  const paths = new Map<string, SettingPath[]>();
  for (const path of SETTING_PATHS) {
    const suffix = settingAt(path).environment;
    if (suffix !== undefined) paths.set(suffix, [...paths.get(suffix) ?? [], path]);
  }
  return [...paths].flatMap(([suffix, paths]) => {
    const name = environmentName(service, suffix);
    const set = [name, FALLBACKS[name]].find((candidate) =>
      candidate !== undefined && environment[candidate]
    );
    return set === undefined ? [] : [{ name: set, text: environment[set]!, paths }];
  });
}

/**
 * Variables by which TLS is asked for. They are read in order to refuse: a server that went on without encryption
 * would be worse than one that does not start.
 */
export function tlsVariables(service: string, environment: Environment): string[] {
  return ["TLS_ENABLED", "WS_TLS_ENABLED"]
    .map((suffix) => environmentName(service, suffix))
    .filter((name) => ["true", "1", "yes", "on"].includes(environment[name]?.toLowerCase() ?? ""));
}
