/**
 * The package as a user has it: packed, and installed by npm into an empty project.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pack } from "../../scripts/check-package.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface LockedPackage {
  readonly dev?: boolean;
  readonly [field: string]: unknown;
}

/**
 * Make a project whose one dependency is the package. Its own dependencies are those of this project's lock, so that
 * npm finds them in its cache, where `npm ci` has put them, and what is tested does not change from day to day.
 *
 * @returns its folder
 */
export async function installPacked(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "realtime-installed-"));
  const { filename } = pack(folder);
  const own = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const { lockfileVersion, packages } = JSON.parse(
    await readFile(join(root, "package-lock.json"), "utf8"),
  ) as {
    lockfileVersion: number;
    packages: Record<string, LockedPackage>;
  };
  const project = {
    name: "empty",
    version: "1.0.0",
    type: "module",
    private: true,
    dependencies: { [own.name]: `file:${filename}` },
  };
  const { version, license, bin, engines, dependencies, optionalDependencies } = own;
  const installed = Object.entries(packages).filter(([path, { dev }]) => path !== "" && dev !== true);
  const lock = {
    name: project.name,
    version: project.version,
    lockfileVersion,
    requires: true,
    packages: {
      "": project,
      [`node_modules/${own.name}`]: {
        ...{
          version,
          resolved: `file:${filename}`,
          license,
          bin,
          engines,
          dependencies,
          optionalDependencies,
        },
      },
      ...Object.fromEntries(installed),
    },
  };
  await writeFile(join(folder, "package.json"), JSON.stringify(project));
  await writeFile(join(folder, "package-lock.json"), JSON.stringify(lock));
  const { status, stderr } = spawnSync("npm", ["ci", "--prefer-offline", "--no-audit", "--no-fund"], {
    cwd: folder,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`Cannot install what was packed: npm ended with ${status}: ${stderr}`);
  // For who checks types, as a user of Node's would have them.
  await mkdir(join(folder, "node_modules/@types"), { recursive: true });
  for (const name of ["@types/node", "undici-types"]) {
    await symlink(join(root, "node_modules", name), join(folder, "node_modules", name));
  }
  return folder;
}
