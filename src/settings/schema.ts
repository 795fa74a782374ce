/**
 * Settings as a type, as defaults, and as one valibot schema. All three follow from the table in `catalog.ts`.
 *
 * @module
 */
import * as v from "valibot";
import type { JsonObject } from "../protocol/json.ts";
import { SETTINGS } from "./catalog.ts";
import type { Setting, SettingsOwner } from "./setting.ts";

type Table = typeof SETTINGS;

/** Block and key, like `websocket.port`; the key alone for a setting without block, like `broker`. */
export type SettingPath = keyof Table;

type ValueAt<Path extends SettingPath> = Table[Path] extends Setting<infer Value> ? Value : never;
type BlockOf<Path> = Path extends `${infer Block}.${string}` ? Block : never;
type Blocks = {
  readonly [Block in BlockOf<SettingPath>]: {
    readonly [Path in SettingPath as Path extends `${Block}.${infer Key}` ? Key : never]: ValueAt<Path>;
  };
};
type Singles = {
  readonly [Path in SettingPath as Path extends `${string}.${string}` ? never : Path]: ValueAt<Path>;
};

/**
 * Complete and checked settings of one service. Keys are those of the file; units, defaults and the meaning of 0 are
 * in `catalog.ts` and `docs/settings.md`.
 */
export type Settings = Blocks & Singles & {
  /** The service's own block: as it stands in the file, or what the service's own schema made of it. */
  readonly own: JsonObject;
};

/** Some settings. What is left out keeps its default. */
export type SettingsPart =
  & { readonly [Block in keyof Blocks]?: Partial<Blocks[Block]> }
  & Partial<Singles>
  & { readonly own?: JsonObject };

/** A service, as far as settings need it. A contract fits. */
export interface SettingsService extends SettingsOwner {
  /** Defaults that are this service's and no other's. */
  readonly defaults?: SettingsPart;
  /** Kinds of channels that keep history. Absent: not known, and any is taken for one. */
  readonly kinds?: readonly string[];
  /** Checks the service's own block. Absent: the block is handed on as it stands. */
  // deno-lint-ignore no-explicit-any
  readonly schema?: v.GenericSchema<any, object>;
}

export const SETTING_PATHS = Object.keys(SETTINGS) as SettingPath[];

/** The row of a setting, seen as any setting. */
export function settingAt(path: SettingPath): Setting<unknown> {
  return SETTINGS[path] as Setting<unknown>;
}

/** Blocks in the order of the table, each with its keys. Settings without block are not among them. */
export const BLOCKS: ReadonlyMap<string, readonly string[]> = blocksOf(SETTING_PATHS);

function blocksOf(paths: readonly string[]): Map<string, string[]> {
  const blocks = new Map<string, string[]>();
  for (const path of paths) {
    const [block, key] = path.split(".") as [string, string | undefined];
    if (key !== undefined) blocks.set(block, [...blocks.get(block) ?? [], key]);
  }
  return blocks;
}

/** A setting's value in a tree of blocks, or undefined. */
export function valueAt(settings: SettingsPart, path: SettingPath): unknown {
  const [block, key] = path.split(".") as [string, string | undefined];
  const found = (settings as Record<string, unknown>)[block];
  return key === undefined ? found : (found as Record<string, unknown> | undefined)?.[key];
}

/**
 * Put values into the shape of `Settings`. A value that is left out becomes the service's default.
 */
export function assembleSettings(
  service: SettingsService,
  values: ReadonlyMap<string, unknown>,
  own: JsonObject,
): Settings {
  const tree: Record<string, unknown> = {};
  for (const path of SETTING_PATHS) {
    putAt(tree, path, values.has(path) ? values.get(path) : defaultAt(service, path));
  }
  for (const path of FOLLOWING) {
    if (values.has(path) || (service.defaults && valueAt(service.defaults, path) !== undefined)) continue;
    putAt(tree, path, followed(tree, path));
  }
  return { ...tree, own } as unknown as Settings;
}

/** Settings whose default follows from others. */
const FOLLOWING = SETTING_PATHS.filter((path) => settingAt(path).follows);

function followed(settings: SettingsPart, path: SettingPath): unknown {
  return settingAt(path).follows?.((other) => valueAt(settings, other as SettingPath));
}

function putAt(tree: Record<string, unknown>, path: SettingPath, value: unknown): void {
  const [block, key] = path.split(".") as [string, string | undefined];
  if (key === undefined) tree[block] = value;
  else tree[block] = { ...tree[block] as object | undefined, [key]: value };
}

function defaultAt(service: SettingsService, path: SettingPath): unknown {
  const own = service.defaults && valueAt(service.defaults, path);
  if (own !== undefined) return own;
  const { default: standard } = settingAt(path);
  return typeof standard === "function" ? standard(service) : standard;
}

/** What a service runs with where nothing is said. */
export function defaultSettings(service: SettingsService): Settings {
  return assembleSettings(service, new Map(), service.defaults?.own ?? {});
}

/**
 * Settings with some of them replaced, for a program that brings its own. What comes out is not checked:
 * `checkSettings` does that. A value that followed from others goes on doing so.
 */
export function mergeSettings(settings: Settings, part: SettingsPart): Settings {
  const tree: Record<string, unknown> = {};
  for (const path of SETTING_PATHS) putAt(tree, path, valueAt(part, path) ?? valueAt(settings, path));
  for (const path of FOLLOWING) {
    const follows = valueAt(settings, path) === followed(settings, path);
    if (follows && valueAt(part, path) === undefined) putAt(tree, path, followed(tree, path));
  }
  return { ...tree, own: { ...settings.own, ...part.own } } as unknown as Settings;
}

/**
 * The settings file of a service as one schema, for editors and for `config schema`. The loader itself checks setting
 * by setting, to name every fault with its line.
 */
export function settingsSchema(service: SettingsService): v.GenericSchema<unknown, Record<string, unknown>> {
  const entries: Record<string, v.GenericSchema> = {};
  for (const [block, keys] of BLOCKS) {
    const inside = keys.map((key) => [key, describedSchema(service, `${block}.${key}` as SettingPath)]);
    entries[block] = v.nullish(v.strictObject(Object.fromEntries(inside)));
  }
  for (const path of SETTING_PATHS.filter((path) => !path.includes("."))) {
    entries[path] = describedSchema(service, path);
  }
  entries[service.name] = v.nullish(service.schema ?? v.record(v.string(), v.unknown()));
  return v.strictObject(entries);
}

function describedSchema(service: SettingsService, path: SettingPath): v.GenericSchema {
  const setting = settingAt(path);
  const described = v.pipe(setting.schema, v.description(meaningOf(setting)));
  const standard = defaultAt(service, path);
  const open = standard === undefined || setting.follows !== undefined;
  return open ? v.optional(described) : v.optional(described, standard);
}

/** Meaning, unit and what 0 does, as one phrase without final period. */
export function meaningOf(setting: Setting<unknown>): string {
  const unit = setting.unit ? `. Unit: ${setting.unit}` : "";
  return `${setting.meaning}${unit}${setting.zero ? `. 0: ${setting.zero}` : ""}`;
}
