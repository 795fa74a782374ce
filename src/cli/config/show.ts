/**
 * Settings as they are printed: without secrets, and each with the place that it comes from.
 *
 * @module
 */
import { stringify } from "yaml";
import type { JsonValue } from "../../protocol/json.ts";
import { type Environment, readEnvironment } from "../../settings/environment.ts";
import { type Located, readYaml } from "../../settings/read-yaml.ts";
import {
  BLOCKS,
  SETTING_PATHS,
  settingAt,
  type SettingPath,
  type Settings,
  valueAt,
} from "../../settings/schema.ts";
import { looksSecret, withoutQueries } from "../../settings/settings-error.ts";
import type { Paint } from "../terminal/paint.ts";

/** What stands there instead of a secret. */
const HIDDEN = "(set, not shown)";

/** Settings as plain data, blocks as in a file. */
export function shownSettings(service: string, settings: Settings): Record<string, unknown> {
  const tree: Record<string, unknown> = {};
  for (const path of SETTING_PATHS) {
    const [block, key] = path.split(".") as [string, string | undefined];
    const value = shownAt(settings, path);
    if (key === undefined) tree[block] = value;
    else tree[block] = { ...tree[block] as object | undefined, [key]: value };
  }
  return { ...tree, [service]: withoutSecrets(settings.own) };
}

function shownAt(settings: Settings, path: SettingPath): JsonValue {
  const value = valueAt(settings, path) as JsonValue | undefined ?? null;
  return settingAt(path).secret && value !== null ? HIDDEN : withoutSecrets(value);
}

/** In a block of which nothing is known, a key tells what is a secret, and an address is shown without user and query. */
function withoutSecrets(value: JsonValue, key = ""): JsonValue {
  if (value !== null && key !== "" && looksSecret([key]) && typeof value !== "boolean") return HIDDEN;
  if (typeof value === "string") return withoutQueries(value.replace(/\/\/[^\s/]*@/g, "//…@"));
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, key));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, withoutSecrets(member, name)]),
  );
}

/** Where settings come from that are not the default, by path; that of the own block by the service's name. */
export function originsOf(
  service: string,
  environment: Environment,
  { file, text }: { readonly file: string; readonly text: string | undefined },
): ReadonlyMap<string, string> {
  const origins = new Map<string, string>();
  const written = text === undefined ? null : readYaml(text, file).root;
  const at = (entry: Located | undefined, path: string) => {
    if (entry && entry.value !== null) origins.set(path, `${file}:${entry.line}`);
  };
  for (const path of SETTING_PATHS) {
    const [block, key] = path.split(".") as [string, string | undefined];
    const found = written?.entries?.get(block);
    at(key === undefined ? found : found?.entries?.get(key), path);
  }
  at(written?.entries?.get(service), service);
  for (const { name, paths } of readEnvironment(service, environment)) {
    for (const path of paths) origins.set(path, name);
  }
  return origins;
}

/** YAML as in a file. What is not the default says where it comes from. */
export function shownYaml(
  service: string,
  settings: Settings,
  origins: ReadonlyMap<string, string>,
  paint: Paint,
): string[] {
  const entry = (path: SettingPath, indent: string) => {
    const origin = origins.get(path);
    const line = `${indent}${path.split(".").at(-1)}: ${JSON.stringify(shownAt(settings, path))}`;
    return origin === undefined ? line : `${line}  ${paint("dim", `# ${origin}`)}`;
  };
  const blocks = [...BLOCKS].flatMap(([block, keys]) => [
    paint("bold", `${block}:`),
    ...keys.map((key) => entry(`${block}.${key}` as SettingPath, "  ")),
  ]);
  const singles = SETTING_PATHS.filter((path) => !path.includes(".")).map((path) => entry(path, ""));
  const own = withoutSecrets(settings.own) as object;
  if (Object.keys(own).length === 0) return [...blocks, ...singles];
  const origin = origins.get(service);
  const head = `${paint("bold", `${service}:`)}${
    origin === undefined ? "" : `  ${paint("dim", `# ${origin}`)}`
  }`;
  const inner = stringify(own).trimEnd().split("\n").map((line) => `  ${line}`);
  return [...blocks, ...singles, head, ...inner];
}
