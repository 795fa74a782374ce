/**
 * `npm run compile:bun [-- --target=…]`: the whole command line with all services as one executable,
 * `dist.bun/mcp-realtime`, and beside it the licenses of the packages in it. What follows `--` goes to `bun build`; a
 * target that is not this machine's makes Bun fetch its program for that.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { licenses } from "./licenses.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * A service takes its settings from its flags, its environment and its file. What else lies in the folder that it is
 * started in (`.env`, `bunfig.toml`, which could name code to load) is none of its business.
 */
const ALONE = ["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"];

/** Errors and their traces stay readable: the map is in the executable. */
const READABLE = ["--keep-names", "--sourcemap=linked"];

/**
 * @param {object} [options]
 * @param {string} [options.bun] the program
 * @param {string} [options.folder] where the executable goes
 * @param {readonly string[]} [options.args] more for `bun build`
 * @returns {Promise<string>} the executable's path
 */
export async function compileForBun({ bun = "bun", folder = join(root, "dist.bun"), args = [] } = {}) {
  mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(tmpdir(), "compile-bun-"));
  const metafile = join(scratch, "meta.json");
  const executable = join(folder, "mcp-realtime");
  try {
    await run(bun, [
      ...["build", "--compile", ...ALONE, ...READABLE, `--metafile=${metafile}`],
      ...["--outfile", executable, ...args, join(root, "src/cli/main.ts")],
    ]);
    const { inputs } = JSON.parse(readFileSync(metafile, "utf8"));
    const modules = Object.keys(inputs).map((path) => resolve(root, path));
    writeFileSync(join(folder, "LICENSES.txt"), licenses(modules));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
    // Written beside the executable as well, which has its own.
    rmSync(`${executable}.map`, { force: true });
  }
  return executable;
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @returns {Promise<void>}
 */
function run(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
    child.once("error", (cause) => {
      reject(new Error(`Cannot start "${program}": run 'npm ci' first, then this by 'npm run'`, { cause }));
    });
    child.once("exit", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`Cannot compile: bun ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(await compileForBun({ args: process.argv.slice(2) }));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
