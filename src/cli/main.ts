#!/usr/bin/env node
/** The command line: `mcp-realtime serve [SERVICE...]`. */
import process from "node:process";
import { VERSION } from "../protocol/version.ts";
import { EXIT_CODES } from "../server/run.ts";
import { serve } from "./serve.ts";

const USAGE = `Usage: mcp-realtime serve [SERVICE...] [FLAGS]

Commands:
  serve    Serve services until Ctrl-C; all of them where none is named

  --version  Show the version
`;

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  if (command === "serve") return await serve(rest);
  if (command === "--help" || command === "-h") {
    console.log(USAGE);
    return EXIT_CODES.done;
  }
  if (command === "--version") {
    console.log(VERSION);
    return EXIT_CODES.done;
  }
  console.error(command === undefined ? USAGE : `Unknown command "${command}": expected serve\n\n${USAGE}`);
  return EXIT_CODES.usage;
}

// Ends also where a stop was given up and something still holds the process.
process.exit(await main(process.argv.slice(2)));
