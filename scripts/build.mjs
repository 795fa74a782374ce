/**
 * Build `dist` from the sources, for Node versions that cannot run TypeScript and for the npm package.
 *
 * The build is made in a folder of its own and moved into place when it is whole, so that a second build, or a
 * server that starts meanwhile, never sees half of one. A stamp in it tells which sources it was made from.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { joinPrograms, programsIn } from "./join-programs.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");

/** What a build depends on. */
const INPUTS = [
  "mod.ts",
  "src",
  "services",
  "scripts/build.mjs",
  "scripts/join-programs.mjs",
  "scripts/licenses.mjs",
  "tsconfig.json",
  "tsconfig.build.json",
  "package-lock.json",
];

/**
 * @param {string} path
 * @returns {string[]} the file, or the files below the folder, in a fixed order
 */
function filesAt(path) {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesAt(join(path, entry.name)) : [join(path, entry.name)]));
}

/** @returns {string} a digest of every source's path and text */
export function sourceStamp() {
  const hash = createHash("sha256");
  for (const input of INPUTS) {
    const path = join(root, input);
    const files = /\.\w+$/.test(input) ? [path].filter((file) => existsSync(file)) : filesAt(path);
    for (const file of files) {
      hash.update(relative(root, file)).update("\0").update(readFileSync(file)).update("\0");
    }
  }
  return hash.digest("hex");
}

/**
 * @param {string} stamp
 * @returns {boolean} whether `dist` was made from these sources
 */
export function isBuilt(stamp) {
  const file = join(dist, ".stamp");
  return existsSync(file) && readFileSync(file, "utf8") === stamp;
}

/** @returns {string} the compiler's program file */
function compiler() {
  try {
    return createRequire(import.meta.url).resolve("typescript/bin/tsc");
  } catch {
    throw new Error("Cannot build as package 'typescript' is not installed: run 'npm ci' first");
  }
}

/**
 * @param {string} folder where the result goes
 * @returns {Promise<void>} rejects when the compiler finds a fault
 */
function compile(folder) {
  const args = [compiler(), "-p", join(root, "tsconfig.build.json"), "--outDir", folder];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
  const stop = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
  process.on("SIGINT", stop).on("SIGTERM", stop);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      process.off("SIGINT", stop).off("SIGTERM", stop);
      if (code === 0) return resolve();
      reject(new Error(`Cannot build: the compiler ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

/**
 * Give programs the mode of programs. npm does so once only, when it links the package's; the compiler makes them anew.
 *
 * @param {string} folder with a whole build
 */
function makeExecutable(folder) {
  for (const program of programsIn(folder)) chmodSync(join(folder, `${program}.js`), 0o755);
}

/** Make `dist` anew. */
export async function build() {
  const stamp = sourceStamp();
  const fresh = join(root, `dist.${process.pid}`);
  const old = `${fresh}.old`;
  try {
    await compile(fresh);
    await joinPrograms(fresh);
    makeExecutable(fresh);
    writeFileSync(join(fresh, ".stamp"), stamp);
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
  } finally {
    for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await build();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
