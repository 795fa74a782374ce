/**
 * The command line: `mcp-realtime COMMAND`.
 *
 * @module
 */
import { VERSION } from "../protocol/version.ts";
import { EXIT_CODES } from "../server/exit-codes.ts";
import { meantHint, nearest } from "../settings/nearest.ts";
import { quoted } from "../settings/settings-error.ts";
import { COMMANDS } from "./commands.ts";

/** @returns the exit code. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const [word, ...rest] = args;
  if (word === undefined) {
    console.error(usage());
    return EXIT_CODES.usage;
  }
  if (word === "--help" || word === "-h" || word === "help") {
    const [command] = rest;
    if (command !== undefined) return await runCommandLine([command, "--help"]);
    console.log(usage());
    return EXIT_CODES.done;
  }
  if (word === "--version" || word === "-V") {
    console.log(VERSION);
    return EXIT_CODES.done;
  }
  const known = Object.keys(COMMANDS).filter((name) => !name.includes(" "));
  if (known.includes(word)) {
    const [{ runCommand }, command] = await Promise.all([import("./command.ts"), COMMANDS[word]!.load()]);
    return await runCommand(command, rest);
  }
  const hint = meantHint(nearest(word, known));
  console.error(`Unknown command ${quoted(word)}: expected ${known.join(", ")}${hint}\n\n${usage()}`);
  return EXIT_CODES.usage;
}

function usage(): string {
  const heads = Object.entries(COMMANDS).map(([name, { words }]) => `${name} ${words}`.trim());
  const width = Math.max(...heads.map((head) => head.length));
  const lines = Object.values(COMMANDS).map(({ summary }, at) => `  ${heads[at]!.padEnd(width)}  ${summary}`);
  return `Usage: mcp-realtime COMMAND [FLAGS]

Commands:
${lines.join("\n")}

  --version  Show the version
  --help     Show this text; that of a command with mcp-realtime COMMAND --help`;
}
