/**
 * What `npm pack` would publish: all that users need, and nothing else. `npm run check:package` prints the faults.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** A path that no pattern knows does not belong into the package. */
const ALLOWED = [
  /^package\.json$/,
  /^(?:README|ARCHITECTURE|CHANGELOG|CONTRIBUTING|SECURITY)\.md$/,
  /^LICENSE$/,
  /^dist\/mod\.(?:js|d\.ts)$/,
  /^dist\/(?:src|services)\/(?:[\w-]+\/)+[\w-]+\.(?:js|d\.ts)$/,
  /^dist\/programs\/[\w.-]+\.js$/,
  /^dist\/programs\/LICENSES\.txt$/,
  /^deploy\/(?:[\w-]+\/)+(?:Dockerfile|Caddyfile|[\w@-]+\.(?:yaml|yml|json|mjs|conf|target|service))$/,
  /^docs\/[\w-]+\.md$/,
  /^examples\/(?:[\w-]+\/)*[\w-]+\.(?:ts|mjs|md|yaml)$/,
  /^settings\/[\w-]+\.yaml$/,
];

/** Of the archive and of what it unpacks to; each about a third above what it was when this was written. */
const BOUNDS = { size: 2_000_000, unpackedSize: 8_000_000 };

/**
 * @typedef {object} Packed what `npm pack --json` says of a package
 * @property {string} filename
 * @property {number} size
 * @property {number} unpackedSize
 * @property {{ path: string, size: number, mode: number }[]} files
 *
 * @typedef {object} Manifest
 * @property {Record<string, Record<string, string>>} exports
 * @property {Record<string, string>} bin
 */

/**
 * @param {Packed} packed
 * @param {Manifest} manifest
 * @param {string} readme its text
 * @returns {string[]} one line per fault
 */
export function packageFaults(packed, manifest, readme) {
  const modes = new Map(packed.files.map(({ path, mode }) => [path, mode]));
  const faults = [];
  for (const path of modes.keys()) {
    if (!ALLOWED.some((pattern) => pattern.test(path))) {
      faults.push(`"${path}" is packed, and no pattern of scripts/check-package.mjs allows that`);
    }
  }
  const named = [...Object.values(manifest.exports).flatMap(Object.values), ...Object.values(manifest.bin)];
  for (const path of new Set(named.map((name) => name.replace(/^\.\//, "")))) {
    if (!modes.has(path)) {
      faults.push(`"${path}" is named by package.json and not packed: run 'npm run build'`);
    }
  }
  for (const path of Object.values(manifest.bin)) {
    const mode = modes.get(path);
    if (mode !== undefined && (mode & 0o111) === 0) {
      faults.push(`"${path}" is a program and cannot be executed`);
    }
  }
  for (const [, link = ""] of readme.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
    const isThere = [...modes.keys()].some((path) =>
      path === link || path.startsWith(`${link.replace(/\/$/, "")}/`)
    );
    if (!isThere) faults.push(`README.md links to "${link}", which is not packed`);
  }
  for (const [name, bound] of Object.entries(BOUNDS)) {
    const bytes = packed[/** @type {keyof typeof BOUNDS} */ (name)];
    if (bytes > bound) faults.push(`${name}: expected at most ${bound} bytes, got ${bytes}`);
  }
  return faults;
}

/**
 * Pack what was built.
 *
 * @param {string} [folder] where the archive goes; without one none is made
 * @returns {Packed}
 */
export function pack(folder) {
  const where = folder === undefined ? ["--dry-run"] : ["--pack-destination", folder];
  // Without scripts: a build of its own would take `dist` from whoever runs it.
  const { status, stdout, stderr } = spawnSync("npm", ["pack", "--json", "--ignore-scripts", ...where], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1_048_576,
  });
  if (status !== 0) throw new Error(`Cannot pack: npm ended with ${status}: ${stderr}`);
  return JSON.parse(stdout)[0];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const read = (/** @type {string} */ name) => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
  const packed = pack();
  const faults = packageFaults(packed, JSON.parse(read("package.json")), read("README.md"));
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
  else {console.log(
      `${packed.files.length} files, ${packed.size} bytes packed, ${packed.unpackedSize} unpacked`,
    );}
}
