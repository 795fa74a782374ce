import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DefinitionFiles, shortened } from "../../../services/mahavishnu/domain/definition-files.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import { files } from "../../../src/runtimes/files.ts";
import { listFolder } from "../../../src/runtimes/list-folder.ts";
import { workspace } from "../../../src/runtimes/workspace.ts";
import { readYaml } from "../../../src/settings/read-yaml.ts";

let folder: string;
let definitions: DefinitionFiles;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "definitions-"));
  definitions = new DefinitionFiles({
    folder,
    files,
    workspace,
    readYaml,
    listFolder,
    pools: ["default"],
  });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const write = (name: string, text: string) => writeFile(join(folder, name), text);
const GOOD = "stages: { one: { run: [x] } }\n";

async function refusal(name: string): Promise<string> {
  const error = await definitions.load(name).then(() => "was not refused", (error) => error);
  if (!(error instanceof Refusal)) throw error;
  return `${error.code} ${error.message}`;
}

describe("load", () => {
  test("reads a file as it stands now", async () => {
    await write("build.yaml", GOOD);
    expect((await definitions.load("build")).stages[0]!.command).toEqual(["x"]);
    await write("build.yaml", GOOD.replace("[x]", "[y]"));
    expect((await definitions.load("build")).stages[0]!.command).toEqual(["y"]);
  });

  test("takes .yml as well", async () => {
    await write("build.yml", GOOD);
    expect((await definitions.load("build")).name).toBe("build");
  });

  test("refuses a name without a file, and says which file was expected", async () => {
    expect(await refusal("nothing")).toBe(
      `NOT_FOUND No definition 'nothing': expected a file '${folder}/nothing.yaml'`,
    );
  });

  test.each(["../secret", "/etc/passwd", "a/b", ".hidden", "", "a\0b", "..", "x".repeat(101)])(
    "does not look outside of its folder for %j",
    async (name) => {
      await write("secret.yaml", GOOD);
      await mkdir(join(folder, "a"));
      await write("a/b.yaml", GOOD);
      await write(".hidden.yaml", GOOD);
      expect(await refusal(name)).toMatch(/^NOT_FOUND No definition /);
    },
  );

  test.runIf(process.platform !== "win32")(
    "reads nothing that is too large, no file, or elsewhere",
    async () => {
      await write("huge.yaml", "");
      await truncate(join(folder, "huge.yaml"), 2 ** 40);
      expect(await refusal("huge")).toBe(
        `INVALID_DATA ${folder}/huge.yaml: expected at most 65536 bytes, got ${2 ** 40}`,
      );
      execFileSync("mkfifo", [join(folder, "pipe.yaml")]);
      expect(await refusal("pipe")).toBe(
        `INVALID_DATA ${folder}/pipe.yaml: expected a file, got something else`,
      );
      await symlink("/etc/passwd", join(folder, "link.yaml"));
      expect(await refusal("link")).toBe(
        `INVALID_DATA ${folder}/link.yaml: expected a file in the folder of definitions, got a link that leads out of it`,
      );
      await write("with space.yaml", GOOD);
      const found = await definitions.list();
      expect(found.map(({ file, result }) => [file.slice(folder.length + 1), result.ok])).toEqual([
        ["huge.yaml", false],
        ["link.yaml", false],
        ["pipe.yaml", false],
        ["with space.yaml", false],
      ]);
    },
  );

  test("tells every fault with file and line", async () => {
    await write("build.yaml", "on_restart: maybe\nstages:\n  one:\n    run: make\n");
    expect(await refusal("build")).toBe(
      `INVALID_DATA ${folder}/build.yaml:1: on_restart: expected resume or fail, got "maybe"\n` +
        `${folder}/build.yaml:4: stages.one.run: expected a list of command and arguments (or shell: true), got "make"`,
    );
  });

  test("tells what is no YAML with file and line", async () => {
    await write("build.yaml", "stages:\n  one: [\n");
    expect(await refusal("build")).toMatch(/^INVALID_DATA .*\/build\.yaml:\d+: expected /);
  });

  test("tells what cannot be read", async () => {
    await mkdir(join(folder, "build.yaml"));
    expect(await refusal("build")).toBe(
      `INVALID_DATA ${folder}/build.yaml: expected a file, got something else`,
    );
  });
});

describe("list", () => {
  test("gives all definitions by name, faulty ones with what is wrong", async () => {
    await write("b.yaml", GOOD);
    await write("a.yml", "stages: 7\n");
    await write("notes.txt", "no definition");
    await write(".hidden.yaml", GOOD);
    const list = await definitions.list();
    expect(list.map(({ name, file, result }) => [name, file, result.ok])).toEqual([
      ["a", `${folder}/a.yml`, false],
      ["b", `${folder}/b.yaml`, true],
    ]);
    expect(list[0]!.result).toMatchObject({
      problems: [`${folder}/a.yml:1: stages: expected a map of stages, got 7`],
    });
  });

  test("lists the one that is run where a name has two files", async () => {
    await write("a.yaml", GOOD);
    await write("a.yml", "stages: 7\n");
    expect((await definitions.list()).map(({ file }) => file)).toEqual([`${folder}/a.yaml`]);
  });

  test("is empty where there is no folder", async () => {
    await rm(folder, { recursive: true });
    expect(await definitions.list()).toEqual([]);
  });
});

test("shortened tells 20 faults and how many more there are", () => {
  const faults = Array.from({ length: 25 }, (_, index) => `fault ${index}`);
  expect(shortened(faults).split("\n")).toEqual([...faults.slice(0, 20), "and 5 more"]);
  expect(shortened(["one"])).toBe("one");
});
