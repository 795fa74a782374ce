/**
 * Settings of one service, put together from what the file, the environment and the flags say. Knows no file format.
 *
 * @module
 */
import * as v from "valibot";
import type { JsonObject } from "../protocol/json.ts";
import { crossChecks } from "./cross-checks.ts";
import { readEnvironment } from "./environment.ts";
import type { Environment } from "./environment.ts";
import { FLAGS, NO_FLAGS } from "./flags.ts";
import type { Flags } from "./flags.ts";
import { meantHint, nearest } from "./nearest.ts";
import type { Located, YamlText } from "./read-yaml.ts";
import { assembleSettings, BLOCKS, SETTING_PATHS, settingAt } from "./schema.ts";
import type { SettingPath, Settings, SettingsService } from "./schema.ts";
import type { InnerFault } from "./setting.ts";
import { looksSecret, printedPath, printedValue, quoted, SettingsError } from "./settings-error.ts";

export interface SettingsSources {
  readonly service: SettingsService;
  /** Name of the file, for messages. @default "settings/{service}.yaml" */
  readonly file?: string;
  /** @default nothing */
  readonly environment?: Environment;
  /** @default none */
  readonly flags?: Flags;
}

/**
 * See `loadSettings`, which reads a file's text too.
 *
 * @param written What the file says. Default: there is none.
 */
export function settingsFrom(sources: SettingsSources, written?: YamlText): Settings {
  const { service, environment = {}, flags = NO_FLAGS } = sources;
  const loader = new Loader(service);
  const file = sources.file ?? settingsFile(service);
  if (written) loader.takeFile(written, file);
  for (const { name, text, paths } of readEnvironment(service.name, environment)) {
    loader.takeText(name, text, paths);
  }
  for (const [flag, text] of flags.values) {
    loader.takeText(flag, text, FLAGS.find((row) => row.flag === flag)?.paths ?? []);
  }
  return loader.finish(file);
}

/** Where the settings of a service are kept, unless told otherwise. */
export function settingsFile({ name }: Pick<SettingsService, "name">): string {
  return `settings/${name}.yaml`;
}

/** Where a value came from, and what it is. */
interface Taken {
  readonly value: unknown;
  readonly label: string;
}

class Loader {
  readonly problems: string[] = [];
  readonly #service: SettingsService;
  readonly #taken = new Map<SettingPath, Taken>();
  /** Settings that somebody set to something wrong. */
  readonly #faulty = new Set<SettingPath>();
  #own: Located | undefined;

  constructor(service: SettingsService) {
    if (BLOCKS.has(service.name) || (SETTING_PATHS as string[]).includes(service.name)) {
      throw new TypeError(
        `Cannot make settings for service '${service.name}': a block of settings has this name`,
      );
    }
    this.#service = service;
  }

  takeFile({ root, problems }: YamlText, file: string): void {
    this.problems.push(...problems);
    if (root === null || root.value === null) return;
    if (!root.entries) {
      // What it is instead stays unsaid: it may be a secret in the wrong place.
      this.problems.push(`${file}:${root.line}: expected a map of settings, got something else`);
      return;
    }
    for (const [key, entry] of root.entries) this.#takeTop(file, key, entry);
  }

  /** A value from the environment or the command line. One text may set several settings. */
  takeText(label: string, text: string, paths: readonly SettingPath[]): void {
    const [first] = paths;
    if (first === undefined) return;
    const setting = settingAt(first);
    const value = setting.fromText(text);
    const fits = v.is(setting.schema, value);
    for (const path of paths) {
      if (fits) this.#taken.set(path, { value, label });
      else this.#faulty.add(path);
    }
    if (fits) return;
    const got = printedValue(text, setting.secret);
    this.problems.push(`${label}: ${paths.join(", ")}: expected ${setting.expectedText}, got ${got}`);
  }

  /** @throws {SettingsError} where anything was wrong. */
  finish(file: string): Settings {
    const own = this.#finishOwn(file);
    const values = new Map([...this.#taken].map(([path, taken]) => [path as string, taken.value]));
    const settings = assembleSettings(this.#service, values, own);
    for (const clash of crossChecks(settings, (path) => this.#taken.has(path))) {
      if (clash.paths.some((path) => this.#faulty.has(path))) continue;
      const label = this.#taken.get(clash.path)?.label ?? "Default";
      this.problems.push(`${label}: ${clash.path}: ${clash.sentence}`);
    }
    if (this.problems.length > 0) throw new SettingsError([...new Set(this.problems)]);
    return settings;
  }

  #takeTop(file: string, key: string, entry: Located): void {
    const keys = BLOCKS.get(key);
    if (key === this.#service.name) this.#own = entry;
    else if (keys) this.#takeBlock(file, key, keys, entry);
    else if (isPath(key)) this.#takeValue(file, key, entry);
    else this.#unknown(file, [key], [...topKeys(), this.#service.name], entry.line);
  }

  #takeBlock(file: string, block: string, keys: readonly string[], entry: Located): void {
    if (entry.value === null) return;
    if (!entry.entries) {
      const hidden = keys.some((key) => settingAt(`${block}.${key}` as SettingPath).secret);
      const got = printedValue(entry.value, hidden);
      this.problems.push(`${file}:${entry.line}: ${block}: expected a map of settings, got ${got}`);
      return;
    }
    for (const [key, value] of entry.entries) {
      const path = `${block}.${key}`;
      if (isPath(path)) this.#takeValue(file, path, value);
      else this.#unknown(file, [block, key], keys, value.line);
    }
  }

  #takeValue(file: string, path: SettingPath, entry: Located): void {
    if (entry.refused) return void this.#faulty.add(path);
    const setting = settingAt(path);
    const { value } = entry;
    const isTree = typeof value === "object" && value !== null;
    const inside = isTree ? setting.faultsIn?.(value, this.#service.kinds) ?? [] : [];
    if (inside.length > 0) return this.#refuseInside(file, path, entry, inside);
    const checked = v.safeParse(setting.schema, value);
    if (checked.success) {
      this.#taken.set(path, { value: checked.output, label: `${file}:${entry.line}` });
      return;
    }
    this.#faulty.add(path);
    const keys = v.getDotPath(checked.issues[0])?.split(".") ?? [];
    const at = located(entry, keys);
    const got = printedValue(at.found.value, setting.secret);
    const where = `${path}${printedPath(at.keys)}`;
    this.problems.push(`${file}:${at.found.line}: ${where}: expected ${setting.expected}, got ${got}`);
  }

  #refuseInside(file: string, path: SettingPath, entry: Located, faults: readonly InnerFault[]): void {
    this.#faulty.add(path);
    for (const { keys, sentence } of faults) {
      const { found } = located(entry, keys);
      if (found.refused) continue;
      const place = printedPath([...path.split("."), ...keys]);
      this.problems.push(`${file}:${found.line}: ${place}: ${sentence}`);
    }
  }

  #unknown(file: string, path: readonly string[], known: readonly string[], line: number): void {
    const key = path.at(-1)!;
    const elsewhere = SETTING_PATHS.find((candidate) => candidate.split(".").at(-1) === key.toLowerCase());
    const meant = elsewhere ?? nearest(key, known);
    const hint = meantHint(meant, `; known here: ${known.join(", ")}`);
    const kind = path.length > 1 ? `a setting of "${path[0]}"` : "a known block or setting";
    this.problems.push(`${file}:${line}: ${printedPath(path)}: expected ${kind}, got ${quoted(key)}${hint}`);
  }

  #finishOwn(file: string): JsonObject {
    const { name, schema, defaults } = this.#service;
    const written = this.#own;
    if (written && written.value !== null && !written.entries) {
      const got = printedValue(written.value, true);
      this.problems.push(`${file}:${written.line}: ${name}: expected a map of settings, got ${got}`);
      return {};
    }
    const own = { ...defaults?.own, ...written?.value as JsonObject | null | undefined };
    if (!schema || written?.refused) return own;
    const checked = v.safeParse(schema, own);
    if (checked.success) return checked.output as JsonObject;
    for (const issue of checked.issues) {
      const keys = issue.path?.map((item) => item.key as string | number) ?? [];
      const at = written ? located(written, keys) : undefined;
      const label = at ? `${file}:${at.found.line}` : file;
      this.problems.push(`${label}: ${printedPath([name, ...keys])}: ${ownFault(issue, keys)}`);
    }
    return {};
  }
}

/** What the service's own schema says. A message of its author counts more than one that valibot makes. */
function ownFault(issue: v.BaseIssue<unknown>, keys: readonly (string | number)[]): string {
  if (issue.input === undefined) return "expected a value, got nothing";
  const standard = issue.message.startsWith("Invalid ");
  const unknown = issue.type === "strict_object" && issue.expected === "never";
  if (unknown) return `expected a known setting, got ${quoted(String(keys.at(-1)))}`;
  const said = standard ? `expected ${issue.expected ?? "another value"}` : issue.message;
  return `${said}, got ${printedValue(issue.input, looksSecret(keys))}`;
}

function isPath(path: string): path is SettingPath {
  return (SETTING_PATHS as string[]).includes(path);
}

function topKeys(): string[] {
  return [...BLOCKS.keys(), ...SETTING_PATHS.filter((path) => !path.includes("."))];
}

/** Follow keys into a value as far as they lead. */
function located(
  from: Located,
  keys: readonly (string | number)[],
): { found: Located; keys: (string | number)[] } {
  let found = from;
  const walked: (string | number)[] = [];
  for (const key of keys) {
    const next = found.items ? found.items[Number(key)] : found.entries?.get(String(key));
    if (!next) break;
    walked.push(found.items ? Number(key) : key);
    found = next;
  }
  return { found, keys: walked };
}
