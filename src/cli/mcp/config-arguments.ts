/**
 * The command line of `mcp config`, taken apart.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { nearest } from "../../settings/nearest.ts";
import { quoted, SettingsError } from "../../settings/settings-error.ts";
import { MCP_CLIENTS } from "./clients.ts";
import { SERVICES } from "../services.ts";

/** How a client is to start this program. */
export const COMMANDS = ["npx", "deno", "bun", "here"] as const;
export type CommandName = typeof COMMANDS[number];

export interface ConfigArguments {
  readonly help: boolean;
  /** A key of `MCP_CLIENTS`; empty where help is asked for. */
  readonly client: string;
  readonly services: readonly string[];
  readonly http: boolean;
  readonly command: CommandName;
  readonly folder: string | undefined;
}

const TEXTS = ["command", "folder"];
const WORDS = ["http", "help"];
const KNOWN = [...TEXTS, ...WORDS];

/** @throws {SettingsError} with every unknown flag, client and service, missing or repeated value. */
export function readConfigArguments(args: readonly string[]): ConfigArguments {
  const { tokens } = parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries(TEXTS.map((name) => [name, { type: "string" as const }])),
      ...Object.fromEntries(WORDS.map((name) => [name, { type: "boolean" as const }])),
      help: { type: "boolean", short: "h" },
    },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const problems: string[] = [];
  const values = new Map<string, string>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName, value, inlineValue } = token;
    if (!KNOWN.includes(name)) {
      problems.push(unknownWord(rawName, KNOWN.map((known) => `--${known}`), "flag"));
    } else if (WORDS.includes(name)) {
      if (value !== undefined) problems.push(`${rawName}: expected no value, got one`);
    } else if (value === undefined || value === "" || (!inlineValue && value.startsWith("--"))) {
      problems.push(`${rawName}: expected a value, got none`);
    } else if (values.has(name)) problems.push(`${rawName}: expected it once, got it twice`);
    values.set(name, value ?? "");
  }
  const help = values.has("help");
  const [client, ...services] = words;
  if (!help) problems.push(...clientProblems(client), ...serviceProblems(services));
  const command = values.get("command") ?? "npx";
  if (command !== "" && !(COMMANDS as readonly string[]).includes(command)) {
    problems.push(`--command: expected ${COMMANDS.join(", ")}, got ${quoted(command)}`);
  }
  if (values.has("http") && client !== undefined && MCP_CLIENTS[client]?.takesUrl === false) {
    problems.push(`--http: ${MCP_CLIENTS[client]!.title} starts its servers: leave it out`);
  }
  for (const flag of values.has("http") ? TEXTS : []) {
    if (values.has(flag)) problems.push(`--${flag}: nothing is started with --http: leave one of them out`);
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return {
    help,
    client: client ?? "",
    services: services.length > 0 ? [...new Set(services)] : Object.keys(SERVICES),
    http: values.has("http"),
    command: command as CommandName,
    folder: values.get("folder"),
  };
}

function clientProblems(client: string | undefined): string[] {
  const known = Object.keys(MCP_CLIENTS);
  if (client === undefined) return [`mcp config: expected a client of ${known.join(", ")}, got none`];
  return Object.hasOwn(MCP_CLIENTS, client) ? [] : [`mcp config: ${unknownWord(client, known, "client")}`];
}

function serviceProblems(services: readonly string[]): string[] {
  return services.filter((name) => !Object.hasOwn(SERVICES, name))
    .map((name) => `mcp config: ${unknownWord(name, Object.keys(SERVICES), "service")}`);
}

function unknownWord(word: string, known: readonly string[], kind: string): string {
  const meant = nearest(word, known);
  const hint = meant === undefined ? "" : `: did you mean "${meant}"?`;
  return `expected a ${kind} of ${known.join(", ")}, got ${quoted(word)}${hint}`;
}
