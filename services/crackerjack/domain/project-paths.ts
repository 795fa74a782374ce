/**
 * Where a project is, and that neither it nor a report of it lies outside the folders that settings allow.
 *
 * @module
 */
import type { Files } from "../../../src/ports/files.ts";
import type { Workspace } from "../../../src/ports/workspace.ts";
import { Refusal } from "../../../src/protocol/errors.ts";

export interface ProjectFolder {
  /** Real path of the project's folder. */
  readonly folder: string;
  /** Real path of the allowed root that it lies in. */
  readonly root: string;
}

type Parts = { readonly files: Files; readonly workspace: Workspace };

/** Is `path` at or below `folder`? Both real. */
export function isWithin(workspace: Workspace, path: string, folder: string): boolean {
  const above = folder.endsWith(workspace.separator) ? folder : folder + workspace.separator;
  return path === folder || path.startsWith(above);
}

/**
 * The project's folder, links followed. A relative path is looked for in each root in turn.
 *
 * @throws {Refusal} NOT_AVAILABLE where it is missing, no folder, outside the roots, or cannot be looked at
 */
export async function findProject(
  { files, workspace }: Parts,
  name: string,
  path: string,
  roots: readonly string[],
): Promise<ProjectFolder> {
  const refuse = (detail: string): never => {
    throw new Refusal("NOT_AVAILABLE", `Cannot use project '${name}': its path ${detail}`);
  };
  const look = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch {
      return refuse("cannot be looked at: let the service's user read it");
    }
  };
  const allowed: string[] = [];
  let real: string | undefined;
  for (const root of roots) {
    const at = await look(() => workspace.realPath(files.resolve(root)));
    if (at !== undefined) allowed.push(at);
    real ??= await look(() => workspace.realPath(files.resolve(root, path)));
  }
  if (real === undefined) return refuse("does not exist: make the folder, or mend the setting");
  const folder = real;
  const root = allowed.find((root) => isWithin(workspace, folder, root));
  if (root === undefined) {
    return refuse("lies outside the allowed roots: move the project, or add a folder to setting roots");
  }
  if ((await look(() => workspace.facts(folder)))?.kind !== "folder") return refuse("is no folder");
  return { folder, root };
}

/**
 * A path inside a project, links followed. Undefined where nothing is there.
 *
 * @throws {Refusal} INVALID_DATA where it leads outside the project's folder
 */
export async function pathInside(
  { files, workspace }: Parts,
  folder: string,
  path: string,
): Promise<string | undefined> {
  const real = await workspace.realPath(files.resolve(folder, path));
  const outside = real !== undefined
    ? !isWithin(workspace, real, folder)
    : !isWithin(workspace, files.resolve(folder, path), folder);
  if (outside) {
    throw new Refusal("INVALID_DATA", `Invalid path "${path}": it leads outside the project's folder`);
  }
  return real;
}
