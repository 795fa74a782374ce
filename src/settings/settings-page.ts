/**
 * Settings as a reader meets them: the table of `docs/settings.md`, and a settings file with every setting explained.
 *
 * @module
 */
import { BLOCKS, defaultSettings, meaningOf, SETTING_PATHS, settingAt, valueAt } from "./schema.ts";
import type { SettingPath, SettingsService } from "./schema.ts";
import { environmentSuffixes, type Setting } from "./setting.ts";

/** All settings as a Markdown table, with columns of even width. */
export function settingsTable(): string {
  const rows = SETTING_PATHS.map((path) => {
    const setting = settingAt(path);
    const names = [
      ...environmentSuffixes(setting).map((suffix) => `\`{SERVICE}_${suffix}\``),
      ...setting.flag ? [`\`${setting.flag}\``] : [],
    ];
    return [`\`${path}\``, defaultCell(setting), meaningOf(setting), setting.expected, names.join(" ")];
  });
  const table = [["Setting", "Default", "Meaning", "Accepted", "Environment, flag"], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`
  );
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [lines[0]!, rule, ...lines.slice(1)].join("\n");
}

function defaultCell(setting: Setting<unknown>): string {
  if (setting.defaultText !== undefined) return setting.defaultText;
  return `\`${printed(setting.default)}\``;
}

/**
 * A settings file that says what holds anyway, with a comment on each setting. Settings whose default follows from
 * another, or that have none, are written as comments.
 */
export function settingsFile(service: SettingsService): string {
  const parts = [...BLOCKS].map(([block, keys]) =>
    `${block}:\n${keys.map((key) => entry(service, `${block}.${key}` as SettingPath, "  ")).join("\n")}`
  );
  const singles = SETTING_PATHS.filter((path) => !path.includes(".")).map((path) => entry(service, path, ""));
  const head = [
    `# Settings of ${service.name}. Every value here is the default; a line may be left out.`,
    "# A flag wins over an environment variable, and that over this file.",
  ];
  return [head.join("\n"), ...parts, ...singles].join("\n\n") + "\n";
}

function entry(service: SettingsService, path: SettingPath, indent: string): string {
  const setting = settingAt(path);
  const value = valueAt(defaultSettings(service), path);
  const open = value === undefined || setting.follows !== undefined;
  const told = open ? `Default: ${setting.defaultText}` : `Default: ${printed(value)}`;
  const line = `${path.split(".").at(-1)}: ${open ? value ?? "..." : printed(value)}`;
  const words = [...`${meaningOf(setting)}.`.split(" "), `${told}.`];
  return [
    ...wrapped(words, 106 - indent.length).map((text) => `${indent}# ${text}`),
    `${indent}${open ? "# " : ""}${line}`,
  ].join("\n");
}

/** As YAML writes it. */
function printed(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value);
  return /^[a-z][\w./-]*$/.test(value) ? value : JSON.stringify(value);
}

function wrapped(words: readonly string[], width: number): string[] {
  const lines = [""];
  for (const word of words) {
    const longer = lines.at(-1) === "" ? word : `${lines.at(-1)} ${word}`;
    if (longer.length > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}
