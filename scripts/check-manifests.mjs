/**
 * `package.json` and `deno.json` describe one package: compare what both say, and look whether it is there.
 *
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * @typedef {object} NodeManifest
 * @property {string} name
 * @property {string} version
 * @property {string} license
 * @property {Record<string, Record<string, string>>} exports
 * @property {Record<string, string>} bin
 * @property {Record<string, string>} dependencies
 * @property {Record<string, string>} [optionalDependencies]
 *
 * @typedef {object} DenoManifest
 * @property {string} name
 * @property {string} version
 * @property {string} license
 * @property {Record<string, string>} exports
 * @property {Record<string, string>} imports
 */

/**
 * @param {NodeManifest} node
 * @param {DenoManifest} deno
 * @param {(path: string) => boolean} exists whether a source is there, by its path from the project's folder
 * @returns {string[]} one line per difference
 */
export function compareManifests(node, deno, exists) {
  /** @type {string[]} */
  const faults = [];
  for (const field of /** @type {const} */ (["name", "version", "license"])) {
    if (node[field] !== deno[field]) {
      faults.push(`${field}: package.json says '${node[field]}', deno.json says '${deno[field]}'`);
    }
  }

  for (const subpath of union(node.exports, deno.exports)) {
    const source = deno.exports[subpath];
    const built = node.exports[subpath];
    if (source === undefined) faults.push(`exports: '${subpath}' is in package.json only`);
    else if (built === undefined) faults.push(`exports: '${subpath}' is in deno.json only`);
    else {
      const stem = source.replace(/^\.\//, "./dist/").replace(/\.ts$/, "");
      // A module may have a form of its own for Node, beside it.
      const own = stem.replace(/[^/]+$/, "node");
      const forNode = "node" in built ? { node: `${own}.js` } : {};
      const expected = JSON.stringify({ types: `${stem}.d.ts`, ...forNode, default: `${stem}.js` });
      if (JSON.stringify(built) !== expected) {
        faults.push(`exports: '${subpath}' of package.json must be ${expected}: is ${JSON.stringify(built)}`);
      }
      const sources = [source, ..."node" in built ? [source.replace(/[^/]+\.ts$/, "node.ts")] : []];
      for (const named of sources) {
        if (!exists(named)) faults.push(`exports: '${subpath}' names '${named}', which is not there`);
      }
    }
  }
  for (const [command, built] of Object.entries(node.bin)) {
    const source = `./${built.replace(/^dist\//, "").replace(/\.js$/, ".ts")}`;
    if (!exists(source)) faults.push(`bin: '${command}' is built from '${source}', which is not there`);
  }

  const ranges = { ...node.dependencies, ...node.optionalDependencies };
  for (const name of union(ranges, deno.imports)) {
    const expected = ranges[name] && `npm:${name}@${ranges[name]}`;
    if (deno.imports[name] !== expected) {
      faults.push(
        `dependencies: '${name}' is '${expected ?? "absent"}' by package.json, ` +
          `'${deno.imports[name] ?? "absent"}' by deno.json`,
      );
    }
  }
  return faults;
}

/**
 * @param {object} a
 * @param {object} b
 * @returns {string[]}
 */
function union(a, b) {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = new URL("../", import.meta.url);
  /** @param {string} name */
  const read = (name) => JSON.parse(readFileSync(new URL(name, root), "utf8"));
  const exists = (/** @type {string} */ path) => existsSync(new URL(path, root));
  const faults = compareManifests(read("package.json"), read("deno.json"), exists);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
  else console.log("package.json and deno.json agree");
}
