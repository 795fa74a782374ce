/** Serves akosha alone. `--help` lists the flags. */
import process from "node:process";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { runService } from "../../src/server/run.ts";
import { akoshaService } from "./server.ts";

const runtime = await detectRuntime();
// Ends also where a stop was given up and something still holds the process.
process.exit(await runService(akoshaService, { runtime, args: process.argv.slice(2) }));
