#!/usr/bin/env node
/** The command line: `mcp-realtime COMMAND`. */
import process from "node:process";
import { VERSION } from "../protocol/version.ts";
import { EXIT_CODES } from "../server/run.ts";
import { mcp } from "./mcp.ts";
import { serve } from "./serve.ts";
import { token } from "./token.ts";

const USAGE = `Usage: mcp-realtime COMMAND [FLAGS]

Commands:
  serve [SERVICE...]     Serve services until Ctrl-C; all of them where none is named
  mcp SERVICE            Speak MCP over standard input and output; serve the service where nobody does
  mcp config CLIENT      Print what goes into the configuration file of an MCP client
  token create | verify  Make a token for a service, or say what one is worth there

  --version  Show the version
`;

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  if (command === "serve") return await serve(rest);
  if (command === "mcp") return await mcp(rest);
  if (command === "token") return await token(rest);
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
