#!/usr/bin/env node
/** The command line: `mcp-realtime COMMAND`. */
import process from "node:process";
import { program } from "../runtimes/program.ts";

await program(async (args) => (await import("./command-line.ts")).runCommandLine(args), {
  reloads: process.argv[2] === "serve",
});
