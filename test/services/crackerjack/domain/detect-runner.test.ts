import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { workspace } from "../../../../src/runtimes/workspace.ts";
import { detectRunner } from "../../../../services/crackerjack/domain/detect-runner.ts";
import { makeProject } from "../project-folder.ts";

async function detected(files: Record<string, string>, folder = "") {
  const project = await makeProject(files);
  return {
    root: project.path,
    plan: await detectRunner(workspace, join(project.path, folder), project.path),
  };
}

const PACKAGE = (content: unknown) => JSON.stringify(content);

describe("detectRunner", () => {
  test.each([
    ["a dependency", "package.json", PACKAGE({ devDependencies: { vitest: "4" } })],
    ["its config", "vitest.config.ts", ""],
  ])("finds Vitest by %s, and the program that is installed there", async (_title, file, text) => {
    const { root, plan } = await detected({ [file]: text, "node_modules/.bin/vitest": "" });
    expect(plan).toEqual({ runner: "vitest", command: [`${root}/node_modules/.bin/vitest`, "run"] });
  });

  test("finds Vitest installed above the project, up to the root", async () => {
    const { root, plan } = await detected({
      "node_modules/.bin/vitest": "",
      "packages/one/vitest.config.ts": "",
    }, "packages/one");
    expect(plan.command).toEqual([`${root}/node_modules/.bin/vitest`, "run"]);
  });

  test("does not look for Vitest above the root", async () => {
    const project = await makeProject({ "node_modules/.bin/vitest": "", "inner/vitest.config.ts": "" });
    const inner = join(project.path, "inner");
    await expect(detectRunner(workspace, inner, inner)).rejects.toMatchObject({
      code: "NOT_AVAILABLE",
      message: expect.stringContaining("Vitest is not installed in its folder or above"),
    });
  });

  test.each([
    ["pytest.ini", "[pytest]"],
    ["pytest.toml", "[pytest]"],
    ["conftest.py", ""],
    ["tests/conftest.py", ""],
    ["pyproject.toml", "[tool.pytest.ini_options]\n"],
    ["setup.cfg", "[tool:pytest]\n"],
    ["tox.ini", "[pytest]\n"],
  ])("finds pytest by %s", async (file, text) => {
    const { plan } = await detected({ [file]: text });
    expect(plan).toEqual({ runner: "pytest", command: ["python3", "-m", "pytest"] });
  });

  test("takes the Python of the project's own environment", async () => {
    const { root, plan } = await detected({ "pytest.ini": "", ".venv/bin/python": "" });
    expect(plan.command).toEqual([`${root}/.venv/bin/python`, "-m", "pytest"]);
  });

  test.each([
    ["node --test", ["node", "--test"]],
    ["  node --import ./hooks.mjs  --test test/a.test.js ", [
      "node",
      "--import",
      "./hooks.mjs",
      "--test",
      "test/a.test.js",
    ]],
    ["node build.js && node --test", ["sh", "-c", "node build.js && node --test"]],
    ["node --test 'a b/**/*.js'", ["sh", "-c", "node --test 'a b/**/*.js'"]],
    ["NODE_ENV=test node --test t/*.js", ["sh", "-c", "NODE_ENV=test node --test t/*.js"]],
  ])("finds node --test by the test script %j", async (script, command) => {
    const { plan } = await detected({ "package.json": PACKAGE({ scripts: { test: script } }) });
    expect(plan).toEqual({ runner: "node", command });
  });

  test.each(["node --test-only a.js", "node --test-reporter=tap a.js", "jest", "nodemon --test"])(
    "does not take the test script %j for node --test",
    async (script) => {
      await expect(detected({ "package.json": PACKAGE({ scripts: { test: script } }) })).rejects.toThrow(
        "Cannot tell how the tests",
      );
    },
  );

  test.each(["deno.json", "deno.jsonc"])("finds Deno by %s", async (file) => {
    const { plan } = await detected({ [file]: "{}" });
    expect(plan).toEqual({ runner: "deno", command: ["deno", "test"] });
  });

  test("Vitest comes before pytest, pytest before node, node before Deno", async () => {
    const all = {
      "vitest.config.js": "",
      "node_modules/.bin/vitest": "",
      "pytest.ini": "",
      "package.json": PACKAGE({ scripts: { test: "node --test" } }),
      "deno.json": "{}",
    };
    const order = [];
    for (const gone of [[], ["vitest.config.js"], ["pytest.ini"], ["package.json"]]) {
      for (const file of gone) delete all[file as keyof typeof all];
      order.push((await detected(all)).plan.runner);
    }
    expect(order).toEqual(["vitest", "pytest", "node", "deno"]);
  });

  test.each([
    ["nothing", {}],
    ["a package.json that is cut short", { "package.json": `{"devDependencies": {"vitest"` }],
    ["a package.json that is no object", { "package.json": "[1]" }],
    ["a package.json with other types", {
      "package.json": PACKAGE({ scripts: 5, devDependencies: "vitest" }),
    }],
    ["a package.json that is nested without end", { "package.json": "[".repeat(1_000_000) }],
    ["a package.json over 1 MiB", {
      "package.json": PACKAGE({ devDependencies: { vitest: "4" }, x: "x".repeat(1_100_000) }),
    }],
    ["a pyproject.toml without pytest", { "pyproject.toml": "[tool.ruff]\n" }],
  ])("says what to do where there is %s", async (_title, files) => {
    await expect(detected(files as Record<string, string>)).rejects.toMatchObject({
      code: "NOT_AVAILABLE",
      message: expect.stringContaining("set 'command' in the project's settings"),
    });
  });

  test("folders and links that lead nowhere, under the names of files, tell nothing", async () => {
    const project = await makeProject();
    await mkdir(join(project.path, "package.json"));
    await mkdir(join(project.path, "conftest.py"));
    await symlink("/is/not/there", join(project.path, "deno.json"));
    await expect(detectRunner(workspace, project.path, project.path)).rejects.toThrow(
      "Cannot tell how the tests",
    );
  });
});
