import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { files } from "../../../../src/runtimes/files.ts";
import { workspace } from "../../../../src/runtimes/workspace.ts";
import { findProject, isWithin, pathInside } from "../../../../services/crackerjack/domain/project-paths.ts";
import { makeProject } from "../project-folder.ts";

const parts = { files, workspace };

/** `root/inner`, `root/file`, `outside/secret`, with links out of the root and within it. */
async function makeFolders() {
  const { path, write } = await makeProject({
    "root/inner/report.xml": "",
    "root/file": "",
    "outside/secret": "",
    "root-beside/x": "",
  });
  const root = join(path, "root");
  await symlink(join(path, "outside"), join(root, "leads-out"));
  await symlink("inner", join(root, "leads-in"));
  await symlink(join(path, "outside/secret"), join(root, "inner/secret"));
  await symlink("/is/not/there", join(root, "inner/dangling"));
  await symlink("loop", join(root, "loop"));
  return { path, root, inner: join(root, "inner"), write };
}

const refused = (message: RegExp) => ({ code: "NOT_AVAILABLE", message: expect.stringMatching(message) });

describe("findProject", () => {
  test("finds a folder in a root, by a path of its own or in the root, links followed", async () => {
    const { root, inner } = await makeFolders();
    for (const path of ["inner", inner, "leads-in", "./inner/../inner", `${inner}/`]) {
      expect(await findProject(parts, "p", path, [root])).toEqual({ folder: inner, root });
    }
    expect(await findProject(parts, "p", ".", [root])).toEqual({ folder: root, root });
  });

  test("looks in each root in turn, and names the one that it lies in", async () => {
    const { path, root, inner } = await makeFolders();
    const other = join(path, "outside");
    const found = await findProject(parts, "p", "inner", [join(path, "no-such-root"), other, root]);
    expect(found).toEqual({ folder: inner, root });
  });

  test.each([
    ["a folder that is not there", "no-such-folder", /does not exist: make the folder/],
    ["a path through a file", "file/inner", /does not exist|cannot be looked at/],
    ["a file", "file", /is no folder$/],
    ["a folder above", "..", /lies outside the allowed roots/],
    ["a folder beside, with a name that begins alike", "../root-beside", /lies outside the allowed roots/],
    ["a link that leads out", "leads-out", /lies outside the allowed roots/],
    ["a link that leads to itself", "loop", /does not exist/],
    ["a path that no system has", "a\0b", /does not exist/],
  ])("refuses %s", async (_title, path, message) => {
    const { root } = await makeFolders();
    await expect(findProject(parts, "p", path, [root])).rejects.toMatchObject(refused(message));
  });

  test("refuses everything where no root is there", async () => {
    const { path, inner } = await makeFolders();
    await expect(findProject(parts, "p", inner, [join(path, "gone")])).rejects.toMatchObject(
      refused(/lies outside the allowed roots/),
    );
  });
});

describe("pathInside", () => {
  test("gives the real path, or nothing where nothing is there", async () => {
    const { root, inner } = await makeFolders();
    expect(await pathInside(parts, inner, "report.xml")).toBe(join(inner, "report.xml"));
    expect(await pathInside(parts, root, "leads-in/report.xml")).toBe(join(inner, "report.xml"));
    expect(await pathInside(parts, root, join(inner, "report.xml"))).toBe(join(inner, "report.xml"));
    expect(await pathInside(parts, inner, "missing.xml")).toBeUndefined();
    expect(await pathInside(parts, inner, "dangling")).toBeUndefined();
  });

  test.each([
    "../file",
    "/etc/passwd",
    "secret",
    "../leads-out/secret",
    "../no-such-file",
    "..",
    "x/../../file",
  ])(
    "refuses %s, which leads outside",
    async (path) => {
      const { inner } = await makeFolders();
      await expect(pathInside(parts, inner, path)).rejects.toMatchObject({
        code: "INVALID_DATA",
        message: `Invalid path "${path}": it leads outside the project's folder`,
      });
    },
  );
});

describe("isWithin", () => {
  test("goes by whole names", () => {
    expect(isWithin(workspace, "/a/b", "/a")).toBe(true);
    expect(isWithin(workspace, "/a", "/a")).toBe(true);
    expect(isWithin(workspace, "/ab", "/a")).toBe(false);
    expect(isWithin(workspace, "/", "/a")).toBe(false);
    expect(isWithin(workspace, "/a", "/")).toBe(true);
  });
});
