/**
 * `npm start [-- SERVICE... FLAGS]`: build when the sources have changed, then serve in this same process, so that
 * signals reach the server.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { build, isBuilt, sourceStamp } from "./build.mjs";

const main = new URL("../dist/src/cli/main.js", import.meta.url);

try {
  if (!isBuilt(sourceStamp())) {
    console.error("Building 'dist' from the sources");
    await build();
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

process.argv = [process.execPath, fileURLToPath(main), "serve", ...process.argv.slice(2)];
await import(main.href);
