/**
 * `mcp config CLIENT`: what goes into the configuration file of an MCP client, alone on standard output; where the file
 * is, on standard error.
 *
 * @module
 */
import { realpathSync } from "node:fs";
import process from "node:process";
import type { Runtime } from "../../ports/runtime.ts";
import { detectRuntime } from "../../runtimes/detect.ts";
import { EXIT_CODES } from "../../server/exit-codes.ts";
import { readSettings } from "../../server/run.ts";
import { originOf } from "../address.ts";
import { type Entry, MCP_CLIENTS } from "./clients.ts";
import { type CommandName, COMMANDS, readConfigArguments } from "./config-arguments.ts";
import { TOKEN_VARIABLE } from "./credentials.ts";
import { SERVICES } from "../services.ts";

const HELP = `Usage: mcp-realtime mcp config CLIENT [SERVICE...] [--http] [--command NAME] [--folder DIR]

Print what goes into the configuration file of an MCP client; all services where none is named.

CLIENT is one of ${Object.keys(MCP_CLIENTS).join(", ")}

  --http          The addresses of services that run, instead of programs that the client starts
  --command NAME  What the client starts: ${COMMANDS.join(", ")}. Default: npx; here: this very program
  --folder DIR    Where settings and data are. Default: wherever the client starts its servers
  --help          Show this text`;

/** @param args What stood after `mcp config`. */
export async function mcpConfig(args: readonly string[]): Promise<number> {
  const given = readConfigArguments(args);
  if (given.help) {
    console.log(HELP);
    return EXIT_CODES.done;
  }
  const runtime = await detectRuntime();
  const { title, places, note, tokenNote, write } = MCP_CLIENTS[given.client]!;
  const entries: Entry[] = [];
  for (const name of given.services) {
    if (given.http) entries.push(await reached(name, runtime));
    else entries.push(started(name, given.command, given.folder && runtime.files.resolve(given.folder)));
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
