/**
 * Files by `node:fs`, on every runtime. See `Files`.
 *
 * @module
 */
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Files } from "../ports/files.ts";
import { fileFault, isMissing } from "./file-fault.ts";
import { makeFolders } from "./make-folders.ts";

export const files: Files = {
  async readText(path) {
    try {
      return await readFile(path, "utf8");
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw new Error(`Cannot read "${path}": ${fileFault(error)}`, { cause: error });
    }
  },
  async kind(path) {
    try {
      return (await stat(path)).isDirectory() ? "folder" : "file";
    } catch (error) {
      if (isMissing(error)) return "missing";
      throw new Error(`Cannot look at "${path}": ${fileFault(error)}`, { cause: error });
    }
  },
  makeFolder(path) {
    try {
      makeFolders(path);
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(
        new Error(`Cannot make the folder "${path}": ${fileFault(error)}`, { cause: error }),
      );
    }
  },
  resolve,
};
