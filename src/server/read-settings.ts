/**
 * Settings of services from their files, the environment and flags: for one look, or again and again while they run.
 *
 * @module
 */
import type { Runtime } from "../ports/runtime.ts";
import type { Service } from "../service/define-service.ts";
import { databaseFile } from "../settings/database-file.ts";
import { type Flags, NO_FLAGS } from "../settings/flags.ts";
import { settingsFile, settingsFrom } from "../settings/loader.ts";
import { readPlain } from "../settings/read-plain.ts";
import type { Settings } from "../settings/schema.ts";
import { quoted, SettingsError } from "../settings/settings-error.ts";
import { settingsServiceOf } from "./server-settings.ts";

/** What settings are read from. */
export type SettingsPlace = Pick<Runtime, "files" | "environment">;

/** A service, and what holds for it. */
export interface Chosen {
  readonly service: Service;
  readonly settings: Settings;
}

/** A settings file. */
interface Written {
  /** As it is called in messages. */
  readonly file: string;
  /** Undefined where there is none. */
  readonly text: string | undefined;
}

/**
 * The settings of a service from its file, the environment and flags.
 *
 * @throws {SettingsError} with every fault, each with its place.
 */
export async function readSettings(
  service: Service,
  place: SettingsPlace,
  flags: Flags = NO_FLAGS,
): Promise<Settings> {
  return await settingsIn(await readFile(service, place, flags), service, place, flags);
}

/**
 * The way to read the settings of services that run together, now and again.
 *
 * @returns rejects with `SettingsError` where anything is wrong, where services want one database, and where a file that
 * said something when it was read last is gone or empty: the defaults are not what somebody meant who moved it.
 */
export function settingsReader(
  services: readonly Service[],
  place: SettingsPlace,
  flags: Flags,
): () => Promise<Chosen[]> {
  let said: ReadonlySet<string> = new Set();
  return async () => {
    const chosen: Chosen[] = [];
    const speaking = new Set<string>();
    for (const service of services) {
      const written = await readFile(service, place, flags);
      if (saysSomething(written)) speaking.add(written.file);
      else if (said.has(written.file)) throw gone(written);
      chosen.push({ service, settings: await settingsIn(written, service, place, flags) });
    }
    refuseSharedDatabase(chosen, place);
    said = speaking;
    return chosen;
  };
}

async function readFile(service: Service, { files }: SettingsPlace, flags: Flags): Promise<Written> {
  const file = flags.settingsFile ?? settingsFile(settingsServiceOf(service));
  const text = await files.readText(files.resolve(file)).catch((error: Error) => {
    throw new SettingsError([
      `${flags.settingsFile === undefined ? "Settings" : "--settings"}: ${error.message}`,
    ]);
  });
  if (text === undefined && flags.settingsFile !== undefined) {
    throw new SettingsError([`--settings: expected a file, got "${file}", which does not exist`]);
  }
  return { file, text };
}

async function settingsIn(
  { file, text }: Written,
  service: Service,
  { environment }: SettingsPlace,
  flags: Flags,
): Promise<Settings> {
  const sources = { service: settingsServiceOf(service), file, environment, flags };
  if (text === undefined) return settingsFrom(sources);
  // The parser is large, and few files need it.
  const written = readPlain(text) ?? (await import("../settings/read-yaml.ts")).readYaml(text, file);
  return settingsFrom(sources, written);
}

function saysSomething({ text }: Written): boolean {
  return text !== undefined && text.trim() !== "";
}

function gone({ file, text }: Written): SettingsError {
  const got = text === undefined ? "no file" : "an empty one";
  return new SettingsError([
    `${file}: expected the settings file that was there before, got ${got}: put it back, or start again without it`,
  ]);
}

/** @throws {SettingsError} */
function refuseSharedDatabase(chosen: readonly Chosen[], { files }: SettingsPlace): void {
  const owners = new Map<string, string>();
  const problems: string[] = [];
  for (const { service: { contract: { name } }, settings } of chosen) {
    const path = databaseFile(settings);
    if (path === null) continue;
    const file = files.resolve(path);
    const owner = owners.get(file);
    if (owner === undefined) owners.set(file, name);
    else {
      problems.push(
        `Settings of ${name}: storage.path: expected a database of its own, got ${
          quoted(path)
        }, which ${owner} has`,
      );
    }
  }
  if (problems.length > 0) throw new SettingsError(problems);
}
