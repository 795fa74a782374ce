/**
 * Join the programs of a build: each starts from a few files instead of some hundreds, as looking for files is most of
 * what a start costs. What is loaded late (`import("…")`) stays in files of its own. Modules that others import stay as
 * the compiler made them.
 *
 * @module
 */
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { licenses } from "./licenses.mjs";

/** Where the joined parts go, below the build's folder. */
export const PARTS = "programs";

/**
 * Stay where npm put them: an addon that only Node 20 needs, faster parts of `ws` that nobody has to have, and what makes
 * certificates, which is large and wanted once in a while.
 */
const APART = ["libsql", "bufferutil", "utf-8-validate", "selfsigned"];

/** How programs begin: loaded before anything else, so it must bring nothing else along. */
const START = /\/src\/runtimes\/(?:program|held-hangups|write-out)\.js$/;

/**
 * What every server needs is one part, and what tells a version or a command that is not there is not in it. Packages go
 * where they are used.
 */
const WORDS =
  /\/src\/(?:protocol\/(?:version|common-requests)|server\/exit-codes|settings\/(?:nearest|settings-error))\.js$/;
const SERVER =
  /\/src\/(?:server|service|storage|runtimes\/(?:node|detect|workspace|list-folder|blob-files)|protocol\/(?:contract|fields|own-settings|secret-variables))[/.]/;
const GROUPS = [
  { name: "start", test: START, priority: 3 },
  { name: "words", test: WORDS, priority: 2 },
  {
    name: "server",
    test: SERVER,
    priority: 1,
  },
];

/**
 * @param {string} folder with a whole build
 * @returns {string[]} its programs, without their ending
 */
export function programsIn(folder) {
  const services = readdirSync(join(folder, "services")).map((name) => `services/${name}/main`);
  return ["src/cli/main", ...services].filter((program) => existsSync(join(folder, `${program}.js`)));
}

/**
 * Put joined programs into the places of those that the compiler made.
 *
 * @param {string} folder with a whole build
 */
export async function joinPrograms(folder) {
  const { rolldown } = await joiner();
  const bundle = await rolldown({
    cwd: folder,
    platform: "node",
    input: Object.fromEntries(programsIn(folder).map((program) => [program, join(folder, `${program}.js`)])),
    external: [/^(?:node|bun):/, ...APART],
  });
  try {
    const { output } = await bundle.write({
      dir: folder,
      format: "esm",
      entryFileNames: "[name].js",
      chunkFileNames: `${PARTS}/[name]-[hash].js`,
      codeSplitting: { groups: GROUPS },
    });
    const modules = output.flatMap((part) => part.type === "chunk" ? part.moduleIds : []);
    writeFileSync(join(folder, PARTS, "LICENSES.txt"), licenses(modules));
  } finally {
    await bundle.close();
  }
}

/** Loaded for a build only: whoever starts what is built needs none of it. */
function joiner() {
  return import("rolldown").catch((cause) => {
    const message =
      `Cannot build as package 'rolldown' cannot be loaded: run 'npm ci' first (${cause.message})`;
    throw new Error(message, { cause });
  });
}
