/**
 * The licenses of packages, as these ask to go wherever their code goes.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * @param {Iterable<string>} modules paths of all modules that were joined
 * @returns {string}
 */
export function licenses(modules) {
  const folders = new Set(
    [...modules].flatMap((path) => path.match(/^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/) ?? []),
  );
  const told = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((name) => /^licen[cs]e(?:\.\w+)?$/i.test(name));
    const text = file === undefined ? `License: ${license}` : readFileSync(join(folder, file), "utf8").trim();
    return `${name} ${version}\n\n${text}\n`;
  });
  return told.join(`\n${"-".repeat(80)}\n\n`);
}
