/**
 * Flags of the command line that are settings. Parsing is pure: what a flag's text means is found out by the loader.
 *
 * @module
 */
import { meantHint, nearest } from "./nearest.ts";
import { SETTING_PATHS, settingAt } from "./schema.ts";
import type { SettingPath } from "./schema.ts";
import { looksSecret, quoted, SettingsError } from "./settings-error.ts";

export interface FlagRow {
  /** With its dashes. */
  readonly flag: string;
  /** What stands for the value in the help; absent where the flag takes none. */
  readonly value?: string;
  /** The settings that it sets. None for `--settings` and `--help`. */
  readonly paths: readonly SettingPath[];
  readonly meaning: string;
}

const pathsOf = (flag: string): SettingPath[] =>
  SETTING_PATHS.filter((path) => settingAt(path).flag === flag);

const row = (flag: string, value: string | undefined, meaning: string): FlagRow => ({
  flag,
  ...(value === undefined ? {} : { value }),
  paths: pathsOf(flag),
  meaning,
});

/** Every flag, in the order of the help. */
export const FLAGS: readonly FlagRow[] = [
  row("--settings", "FILE", "Settings file. Default: settings/{service}.yaml where it exists"),
  row("--host", "HOST", "Address that both ports listen on"),
  row("--port", "PORT", "WebSocket port"),
  row("--http-port", "PORT", "Port for HTTP and MCP"),
  row("--storage", "PATH", 'Database file, ":memory:" or "none"'),
  row("--log-level", "LEVEL", "debug, info, warn or error"),
  row("--log-format", "FORMAT", "auto, line, pretty or json"),
  row("--dev-certificate", undefined, "Speak TLS with a self-signed certificate made now, for development"),
  row("--development", undefined, "Accept the known development secret and offer test tools"),
  row("--help", undefined, "Show this text"),
];

/** What stood on the command line. */
export interface Flags {
  /** Value of `--settings`. */
  readonly settingsFile?: string | undefined;
  readonly help: boolean;
  /** Texts of the flags that set something, by flag. */
  readonly values: ReadonlyMap<string, string>;
}

export const NO_FLAGS: Flags = { help: false, values: new Map() };

/**
 * Take the command line of a program apart that serves one service: `--port 8688`, `--port=8688`, `--development`.
 *
 * @throws {SettingsError} with every unknown flag, missing value, repeated flag and unexpected word.
 */
export function parseFlags(args: readonly string[]): Flags {
  const problems: string[] = [];
  const values = new Map<string, string>();
  const words: string[] = [];
  const rest = [...args];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === "--") {
      words.push(...rest.splice(0));
    } else if (argument === "-h") {
      values.set("--help", "true");
    } else if (argument.startsWith("-") && argument.length > 1) {
      const [flag, text] = readFlag(argument, rest, problems);
      if (flag === null) continue;
      if (values.has(flag.flag)) problems.push(`${flag.flag}: expected it once, got it twice`);
      values.set(flag.flag, text);
    } else {
      words.push(argument);
    }
  }
  problems.push(...words.map((word) => `${quoted(word)}: expected a flag, got a word`));
  if (problems.length > 0) throw new SettingsError(problems);
  const settingsFile = values.get("--settings");
  const help = values.has("--help");
  values.delete("--settings");
  values.delete("--help");
  return { settingsFile, help, values };
}

/** The flag and its text. A value that follows is taken from `rest`. A null flag has been told of in `problems`. */
function readFlag(argument: string, rest: string[], problems: string[]): [FlagRow | null, string] {
  const equals = argument.indexOf("=");
  const name = equals < 0 ? argument : argument.slice(0, equals);
  const flag = FLAGS.find((row) => row.flag === name);
  if (!flag) {
    const meant = nearest(name, FLAGS.map((row) => row.flag));
    problems.push(
      `${quoted(name)}: expected a known flag${meantHint(meant, "; see --help")}`,
    );
    // What follows would be told of as a word too many.
    if (equals < 0 && looksSecret([name])) takeValue(rest);
    return [null, ""];
  }
  if (flag.value === undefined) {
    if (equals < 0) return [flag, "true"];
    problems.push(`${flag.flag}: expected no value, got ${quoted(argument.slice(equals + 1))}`);
    return [null, ""];
  }
  const text = equals < 0 ? takeValue(rest) : argument.slice(equals + 1);
  if (text !== undefined && text !== "") return [flag, text];
  problems.push(`${flag.flag}: expected a value (${flag.value}), got none`);
  return [null, ""];
}

function takeValue(rest: string[]): string | undefined {
  return rest[0]?.startsWith("--") ? undefined : rest.shift();
}

/** The flags and what they do, one a line, for `--help`. */
export function flagsHelp(): string {
  const heads = FLAGS.map((row) => row.value === undefined ? row.flag : `${row.flag} ${row.value}`);
  const width = Math.max(...heads.map((head) => head.length));
  return FLAGS.map((row, index) => `  ${heads[index]!.padEnd(width)}  ${row.meaning}`).join("\n");
}
