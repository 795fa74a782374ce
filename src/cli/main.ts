#!/usr/bin/env node
/** The command line: `mcp-realtime COMMAND`. */
import process from "node:process";
import { VERSION } from "../protocol/version.ts";
import { EXIT_CODES } from "../server/exit-codes.ts";

const USAGE = `Usage: mcp-realtime COMMAND [FLAGS]

Commands:
  serve [SERVICE...]     Serve services until Ctrl-C; all of them where none is named
  mcp SERVICE            Speak MCP over standard input and output; serve the service where nobody does
  mcp config CLIENT      Print what goes into the configuration file of an MCP client
  token create | verify  Make a token for a service, or say what one is worth there

  --version  Show the version
`;

/** A command is loaded when it is asked for. */
async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  if (command === "serve") return await (await import("./serve.ts")).serve(rest);
  if (command === "mcp") return await (await import("./mcp.ts")).mcp(rest);
  if (command === "token") return await (await import("./token.ts")).token(rest);
  if (command === "--help" || command === "-h") {
    console.log(USAGE);
    return EXIT_CODES.done;
  }
  if (command === "--version") {
    console.log(VERSION);
    return EXIT_CODES.done;
  }
  console.error(
    command === undefined ? USAGE : `Unknown command "${command}": expected serve, mcp or token\n\n${USAGE}`,
  );
  return EXIT_CODES.usage;
}

// Ends also where a stop was given up and something still holds the process.
process.exit(await main(process.argv.slice(2)));
