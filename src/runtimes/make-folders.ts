/**
 * A folder and those above it, each made by a call of its own: Node's own `recursive` never comes back where a file
 * system like `/proc` denies that a folder exists which it refuses to make.
 *
 * @module
 */
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** Nothing where the folder exists. Throws what the system says of the first folder that cannot be made. */
export function makeFolders(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  const parent = dirname(path);
  if (parent !== path) makeFolders(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}
