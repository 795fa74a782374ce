/**
 * `deno task compile [--target …]` (or `npm run compile:deno`): the whole command line with all services as one
 * executable, `dist.deno/mcp-realtime`. What follows goes to `deno compile`.
 *
 * Packages and sources are joined first: given a project with `node_modules`, Deno would take all of that folder
 * along, and has been seen to overflow its stack on it. The joined files stand in a folder without manifests, in which
 * nothing but themselves and Deno's own modules can be found: what is missing there is missing in the executable too.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { licenses } from "./licenses.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * What the program may do: everything. Less is not enough, as Deno gives nobody a look at `/proc/{pid}` without it, by
 * which the processes of a run that was killed are found again.
 */
export const PERMISSIONS = ["--allow-all"];

/** Faster parts of `ws` that nobody has to have, and the SQLite engine of Node 20. */
const LEFT_OUT = ["libsql", "bufferutil", "utf-8-validate"];

/**
 * Join the sources and all packages.
 *
 * @param {string} folder where the parts go
 * @returns {Promise<{ main: string, modules: string[] }>} the part that is run, and the paths of all that was joined
 */
export async function joinForDeno(folder) {
  const bundle = await rolldown({
    cwd: root,
    platform: "node",
    input: { "mcp-realtime": join(root, "src/cli/main.ts") },
    external: [/^(?:node|bun):/, ...LEFT_OUT],
    resolve: { conditionNames: ["deno", "node", "import", "default"] },
    tsconfig: false,
  });
  try {
    const { output } = await bundle.write({
      dir: folder,
      format: "esm",
      entryFileNames: "[name].js",
      chunkFileNames: "parts/[name]-[hash].js",
    });
    const modules = output.flatMap((part) => part.type === "chunk" ? part.moduleIds : []);
    return { main: join(folder, "mcp-realtime.js"), modules };
  } finally {
    await bundle.close();
  }
}

/**
 * @param {object} [options]
 * @param {string} [options.deno] the program
 * @param {string} [options.folder] where the executable goes
 * @param {readonly string[]} [options.args] more for `deno compile`
 * @returns {Promise<string>} the executable's path
 */
export async function compileForDeno({ deno = "deno", folder = join(root, "dist.deno"), args = [] } = {}) {
  mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(tmpdir(), "compile-deno-"));
  const executable = join(folder, "mcp-realtime");
  try {
    const { main, modules } = await joinForDeno(scratch);
    await run(deno, [
      ...["compile", "--no-config", "--no-check", ...PERMISSIONS],
      ...["--output", executable, ...args, main],
    ], scratch);
    writeFileSync(join(folder, "LICENSES.txt"), licenses(modules));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return executable;
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {string} folder
 * @returns {Promise<void>}
 */
function run(program, args, folder) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "inherit", "inherit"] });
    child.once("error", (cause) => {
      reject(new Error(`Cannot start "${program}": run 'npm ci' first, then this by 'npm run'`, { cause }));
    });
    child.once("exit", (code, signal) => {
      if (code === 0) return resolve();
      const hint =
        "deno compile fetches the program 'denort' from dl.deno.land once; without a network name one " +
        "of the same version in DENORT_BIN";
      reject(new Error(`Cannot compile: deno ended with ${signal ?? `exit code ${code}`} (${hint})`));
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(await compileForDeno({ args: process.argv.slice(2) }));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
