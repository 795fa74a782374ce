/**
 * Other people's folders by `node:fs`, on every runtime. See `Workspace`.
 *
 * @module
 */
import { mkdtemp, open, realpath, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, sep } from "node:path";
import process from "node:process";
import type { Workspace } from "../ports/workspace.ts";
import { isMissing, READ_FLAGS, said } from "./file-fault.ts";

export const workspace: Workspace = {
  separator: sep,
  listSeparator: delimiter,
  realPath: (path) => unlessMissing("look at", path, () => realpath(path)),
  facts: (path) =>
    unlessMissing("look at", path, async () => {
      const facts = await stat(path);
      const kind = facts.isFile() ? "file" : facts.isDirectory() ? "folder" : "other";
      return { kind, size: facts.size, modifiedMs: facts.mtimeMs };
    }),
  async readFrom(path, offset, maxBytes) {
    const read = await unlessMissing("read", path, async () => {
      const file = await open(path, READ_FLAGS);
      try {
        const bytes = new Uint8Array(Math.max(0, Math.min(maxBytes, (await file.stat()).size - offset)));
        let filled = 0;
        while (filled < bytes.byteLength) {
          const { bytesRead } = await file.read(bytes, filled, bytes.byteLength - filled, offset + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return bytes.subarray(0, filled);
      } finally {
        await file.close();
      }
    });
    return read ?? new Uint8Array();
  },
  write: (path, text) => said("write", path, () => writeFile(path, text)),
  makeTemporaryFolder: (prefix) =>
    said("make a folder in", tmpdir(), async () => await realpath(await mkdtemp(join(tmpdir(), prefix)))),
  remove: (path) =>
    said("remove", path, () => rm(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 })),
  variable: (name) => process.env[name],
};

/** Paths that nothing can be at: too long, in a circle of links, or with the character NUL. */
function cannotExist(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === "ENAMETOOLONG" || code === "ELOOP" || code === "ERR_INVALID_ARG_VALUE";
}

async function unlessMissing<T>(
  verb: string,
  path: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  return await said(verb, path, () =>
    work().catch((error) => {
      if (isMissing(error) || cannotExist(error)) return undefined;
      throw error;
    }));
}
