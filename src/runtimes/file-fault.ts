/**
 * What a failed call of `node:fs` means, for the operator.
 *
 * @module
 */
import { constants } from "node:fs";

/** Opening a pipe that nobody writes to would wait for ever. */
export const READ_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

const FAULTS: Readonly<Record<string, string>> = {
  EACCES: "this process has no permission; change the owner or the mode, or choose another path",
  EPERM: "this process has no permission; change the owner or the mode, or choose another path",
  EROFS: "the file system is read-only; choose another path",
  ENOSPC: "the disk is full; make room or choose another path",
  EDQUOT: "the disk quota is used up; make room or choose another path",
  EFBIG: "it would be larger than a file of this process may be; raise the limit, or choose another path",
  EISDIR: "it is a folder; name a file",
  EEXIST: "a file of this name is in the way; remove it or choose another path",
  ENOTDIR: "a part of the path is a file, not a folder; choose another path",
  ENAMETOOLONG: "the path is too long; choose a shorter one",
  ELOOP: "the path goes through a circle of links; choose another path",
  EMFILE: "too many files are open; raise the limit of open files",
};

/** A clause that says what is wrong and what to do. */
export function fileFault(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return FAULTS[code ?? ""] ?? message ?? String(error);
}

export function isMissing(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === "ENOENT" || code === "ENOTDIR";
}

/** Do it; a failure becomes a sentence that names the path. */
export async function said<T>(verb: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`Cannot ${verb} "${path}": ${fileFault(error)}`, { cause: error });
  }
}
