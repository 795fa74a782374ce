/** Serves session-buddy alone. Flags: `--help` lists them. */
import process from "node:process";
import { serve } from "../../src/cli/serve.ts";

process.exitCode = await serve(["session-buddy"], process.argv.slice(2));
