/**
 * Projects with tests, written to a temporary folder that is removed at the end of the test.
 *
 * @module
 */
import { access, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const modules = fileURLToPath(new URL("../../../node_modules", import.meta.url));

export interface ProjectFolder {
  /** Real path. */
  readonly path: string;
  write(file: string, text: string): Promise<void>;
  has(file: string): Promise<boolean>;
  /** This repository's own packages can be imported there. */
  linkModules(): Promise<void>;
}

/** @param files Texts by paths in the folder. */
export async function makeProject(files: Readonly<Record<string, string>> = {}): Promise<ProjectFolder> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "crackerjack-")));
  onTestFinished(() => rm(path, { recursive: true, force: true, maxRetries: 3 }));
  const project: ProjectFolder = {
    path,
    async write(file, text) {
      await mkdir(dirname(join(path, file)), { recursive: true });
      await writeFile(join(path, file), text);
    },
    has: (file) => access(join(path, file)).then(() => true, () => false),
    linkModules: () => symlink(modules, join(path, "node_modules"), "dir"),
  };
  for (const [file, text] of Object.entries(files)) await project.write(file, text);
  return project;
}
