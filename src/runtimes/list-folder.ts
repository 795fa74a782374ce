/**
 * What is in a folder, by `node:fs`, on every runtime.
 *
 * @module
 */
import { readdir } from "node:fs/promises";
import { fileFault, isMissing } from "./file-fault.ts";

/** Names of what is in a folder; none where there is no folder. Other failures reject with a sentence. */
export async function listFolder(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isMissing(error)) return [];
    throw new Error(`Cannot read the folder "${path}": ${fileFault(error)}`, { cause: error });
  }
}
