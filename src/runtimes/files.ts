/**
 * Files by `node:fs`, on every runtime. See `Files`.
 *
 * @module
 */
import { open, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Files } from "../ports/files.ts";
import { fileFault, isMissing, READ_FLAGS } from "./file-fault.ts";
import { makeFolders } from "./make-folders.ts";

/** Of what is read whole: settings, certificates, keys. */
const MAX_TEXT_BYTES = 16_777_216;

export const files: Files = {
  async readText(path) {
    try {
      return await readWhole(path);
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

/** A device may have no end, and a pipe nobody who writes to it. */
async function readWhole(path: string): Promise<string> {
  const file = await open(path, READ_FLAGS);
  try {
    const facts = await file.stat();
    if (facts.isDirectory()) throw new Error("it is a folder; name a file");
    if (!facts.isFile()) throw new Error("it is a device or a pipe; name a file");
    if (facts.size > MAX_TEXT_BYTES) {
      throw new Error(`it has ${facts.size} bytes; name a file of at most ${MAX_TEXT_BYTES}`);
    }
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}
