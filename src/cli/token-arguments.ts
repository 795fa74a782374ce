/**
 * The command line of `token`, taken apart.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { nearest } from "../settings/nearest.ts";
import { SettingsError } from "../settings/settings-error.ts";

export interface TokenArguments {
  readonly help: boolean;
  readonly service: string | undefined;
  readonly user: string | undefined;
  readonly permissions: readonly string[];
  readonly expires: string | undefined;
  readonly json: boolean;
  readonly settings: string | undefined;
  readonly development: boolean;
  /** What `verify` is to look at. */
  readonly token: string;
}

/** Flags with a value, and those without, of each action. */
const FLAGS = {
  create: { texts: ["service", "user", "permission", "expires", "settings"], words: ["development", "help"] },
  verify: { texts: ["service", "settings"], words: ["json", "development", "help"] },
} as const;

/** @throws {SettingsError} with every unknown flag, missing or repeated value and unexpected word. None is shown that might be a secret. */
export function readTokenArguments(action: "create" | "verify", args: readonly string[]): TokenArguments {
  const { texts, words } = FLAGS[action];
  const known: readonly string[] = [...texts, ...words];
  const { tokens } = parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries(texts.map((name) => [name, { type: "string" as const }])),
      ...Object.fromEntries(words.map((name) => [name, { type: "boolean" as const }])),
      help: { type: "boolean", short: "h" },
    },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const problems: string[] = [];
  const values = new Map<string, string[]>();
  const rest: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") rest.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName, value, inlineValue } = token;
    const before = values.get(name) ?? [];
    if (!known.includes(name)) problems.push(unknownFlag(rawName, known));
    else if ((words as readonly string[]).includes(name)) {
      if (value !== undefined) problems.push(`${rawName}: expected no value, got one`);
    } else if (value === undefined || value === "" || (!inlineValue && value.startsWith("--"))) {
      problems.push(`${rawName}: expected a value, got none`);
    } else if (before.length > 0 && name !== "permission") {
      problems.push(`${rawName}: expected it once, got it twice`);
    }
    values.set(name, [...before, value ?? ""]);
  }
  const help = values.has("help");
  const wanted = action === "verify" ? 1 : 0;
  if (!help && rest.length !== wanted) {
    // The words stay unsaid: they may be tokens.
    const expected = wanted === 1 ? 'one token, or "-" for standard input' : "flags alone, without a word";
    problems.push(`token ${action}: expected ${expected}, got ${rest.length}`);
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return {
    help,
    service: values.get("service")?.[0],
    user: values.get("user")?.[0],
    permissions: values.get("permission") ?? [],
    expires: values.get("expires")?.[0],
    json: values.has("json"),
    settings: values.get("settings")?.[0],
    development: values.has("development"),
    token: rest[0] ?? "",
  };
}

function unknownFlag(rawName: string, known: readonly string[]): string {
  const meant = nearest(rawName, known.map((name) => `--${name}`));
  const hint = meant === undefined
    ? `known are ${known.map((name) => `--${name}`).join(", ")}`
    : `did you mean "${meant}"?`;
  return `${rawName}: expected a known flag, ${hint}`;
}

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;
/** Ten years. Whoever wants longer says never. */
const MOST_SECONDS = 3_650 * 86_400;

/**
 * A lifetime like `30s`, `15m`, `1h`, `7d` or `never`.
 *
 * @returns seconds, or null for never.
 * @throws {SettingsError} where it is none.
 */
export function readLifetime(text: string | undefined, standard: number): number | null {
  if (text === undefined) return standard;
  if (text === "never") return null;
  const [, count, unit] = /^(\d{1,10})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * SECONDS[unit as keyof typeof SECONDS];
  if (seconds >= 1 && seconds <= MOST_SECONDS) return seconds;
  throw new SettingsError([
    `--expires: expected a time like 30s, 15m, 1h or 7d (at most 3650d), or never, got "${text}"`,
  ]);
}
