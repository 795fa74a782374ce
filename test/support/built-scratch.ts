/**
 * What a test file needs that starts the built program: the build, and a folder for what is kept.
 *
 * @module
 */
import { afterAll, beforeAll } from "vitest";
import { buildOnce } from "./build-once.ts";
import { makeScratch, type Scratch } from "./serve-process.ts";

/** Before the file's tests the build and the folder are there, after them the folder is gone. */
export function useBuiltScratch(): Pick<Scratch, "folder" | "flags"> {
  let scratch: Scratch;
  beforeAll(async () => {
    await buildOnce();
    scratch = await makeScratch();
  }, 120_000);
  afterAll(() => scratch.remove());
  return {
    get folder() {
      return scratch.folder;
    },
    flags: (name) => scratch.flags(name),
  };
}
