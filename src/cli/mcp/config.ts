/**
 * `mcp config CLIENT`: what goes into the configuration file of an MCP client, alone on standard output; where the file
 * is, on standard error.
 *
 * @module
 */
import { realpathSync } from "node:fs";
import process from "node:process";
import type { Command } from "commander";
import type { Runtime } from "../../ports/runtime.ts";
import { detectRuntime } from "../../runtimes/detect.ts";
import { EXIT_CODES } from "../../server/exit-codes.ts";
import { readSettings } from "../../server/run.ts";
import { quoted, SettingsError } from "../../settings/settings-error.ts";
import { originOf } from "../address.ts";
import { action, makeCommand } from "../command.ts";
import { type Entry, MCP_CLIENTS } from "./clients.ts";
import { TOKEN_VARIABLE } from "./credentials.ts";
import { SERVICES, unknownWord } from "../services.ts";
import { singleValue } from "../single-value.ts";

/** How a client is to start this program. */
const COMMANDS = ["npx", "deno", "bun", "here"] as const;
type CommandName = typeof COMMANDS[number];

interface ConfigFlags {
  readonly http?: boolean;
  readonly command?: CommandName;
  readonly folder?: string;
}

export function mcpConfigCommand(): Command {
  return makeCommand("config", "Print what goes into the configuration file of an MCP client")
    .argument("<CLIENT>", `One of ${Object.keys(MCP_CLIENTS).join(", ")}`)
    .argument("[SERVICE...]", "Default: all")
    .option("--http", "The addresses of services that run, instead of programs that the client starts")
    .option(
      "--command <NAME>",
      `What the client starts: ${COMMANDS.join(", ")}. Default: npx; here: this very program`,
      readCommand,
    )
    .option(
      "--folder <DIR>",
      "Where settings and data are. Default: wherever the client starts its servers",
      singleValue("--folder", "DIR"),
    )
    .action(action(mcpConfig));
}

async function mcpConfig(client: string, words: readonly string[], flags: ConfigFlags): Promise<number> {
  const given = { ...flags, ...readWords(client, words) };
  for (const flag of given.http ? ["command", "folder"] as const : []) {
    if (given[flag] === undefined) continue;
    throw new SettingsError([`--${flag}: nothing is started with --http: leave one of them out`]);
  }
  if (given.http && MCP_CLIENTS[client]!.takesUrl === false) {
    throw new SettingsError([`--http: ${MCP_CLIENTS[client]!.title} starts its servers: leave it out`]);
  }
  const runtime = await detectRuntime();
  const { title, places, note, tokenNote, write } = MCP_CLIENTS[client]!;
  const entries: Entry[] = [];
  for (const name of given.services) {
    if (given.http) entries.push(await reached(name, runtime));
    else {entries.push(
        started(name, given.command ?? "npx", given.folder && runtime.files.resolve(given.folder)),
      );}
  }
  console.error(`For the configuration of ${title}; what is there already stays beside it:`);
  for (const place of places) console.error(`  ${place}`);
  if (note !== undefined) console.error(note);
  if (!given.http && given.folder === undefined) {
    console.error(
      "Settings and data are looked for in the folder that the client starts its servers in; --folder DIR names another",
    );
  }
  if (entries.some((entry) => "hasToken" in entry && entry.hasToken)) {
    console.error(tokenNote ?? `The client takes the token from its environment (${TOKEN_VARIABLE})`);
  }
  console.log(write(entries, TOKEN_VARIABLE));
  return EXIT_CODES.done;
}

/** @throws {SettingsError} with every word that names nothing. */
function readWords(client: string, words: readonly string[]): { readonly services: readonly string[] } {
  const problems = [
    ...unknownWord("mcp config: expected a client", client, Object.keys(MCP_CLIENTS)),
    ...words.flatMap((word) => unknownWord("mcp config: expected a service", word, Object.keys(SERVICES))),
  ];
  if (problems.length > 0) throw new SettingsError(problems);
  return { services: words.length > 0 ? [...new Set(words)] : Object.keys(SERVICES) };
}

/** @throws {SettingsError} where it is none. */
function readCommand(text: string): CommandName {
  const command = COMMANDS.find((name) => name === text);
  if (command) return command;
  throw new SettingsError([`--command: expected ${COMMANDS.join(", ")}, got ${quoted(text)}`]);
}

/** A program that the client starts. */
function started(name: string, command: CommandName, folder: string | undefined): Entry {
  const rest = ["mcp", name, ...(folder ? ["--folder", folder] : [])];
  const [program = "", ...args] = {
    npx: ["npx", "-y", "mcp-realtime"],
    deno: ["deno", "run", "-A", "npm:mcp-realtime"],
    bun: ["bunx", "--bun", "mcp-realtime"],
    here: thisProgram(),
  }[command];
  return { name, command: program, args: [...args, ...rest] };
}

/** The runtime and the file that it runs now; the file alone where the runtime is in it. */
function thisProgram(): string[] {
  if (isOneFile()) return [process.execPath];
  // A link, such as a package manager makes, may go; what it leads to stays.
  const file = realpathSync(process.argv[1] ?? "");
  if ("Deno" in globalThis) return [process.execPath, "run", "-A", file];
  if ("Bun" in globalThis) return [process.execPath, "--bun", "run", file];
  return [process.execPath, file];
}

/** Whether program and runtime are one executable, as `deno compile` and `bun build --compile` make it. */
function isOneFile(): boolean {
  const { Deno } = globalThis as { Deno?: { build: { standalone?: boolean } } };
  // Bun runs what it was compiled with from a file system that only it sees.
  return Deno?.build.standalone === true ||
    /^(?:\/\$bunfs\/|[A-Z]:[\\/]~BUN[\\/])/.test(process.argv[1] ?? "");
}

/** The address of a service that runs, as its settings say. */
async function reached(name: string, runtime: Runtime): Promise<Entry> {
  const { http, tls, auth } = await readSettings(await SERVICES[name]!(), runtime);
  return { name, url: `${originOf("http", http, tls)}/mcp`, hasToken: auth.required };
}
