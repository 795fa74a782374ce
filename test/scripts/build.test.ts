import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { isBuilt, sourceStamp } from "../../scripts/build.mjs";
import { buildOnce } from "../support/build-once.ts";

const dist = fileURLToPath(new URL("../../dist", import.meta.url));
const programs = fileURLToPath(new URL("../../dist/programs", import.meta.url));
const services = readdirSync(new URL("../../services", import.meta.url));

describe("A build", () => {
  beforeAll(buildOnce, 120_000);

  test("is known to be made from these sources", () => {
    expect(isBuilt(sourceStamp())).toBe(true);
    expect(isBuilt("others")).toBe(false);
  });

  test.each(["src/cli/main.js", ...services.map((name) => `services/${name}/main.js`)])(
    "may be executed: %s",
    (program) => expect((statSync(`${dist}/${program}`).mode & 0o777).toString(8)).toBe("755"),
  );

  test("holds the package's program, which runs by its name alone", () => {
    const { status, stdout } = spawnSync(`${dist}/src/cli/main.js`, ["--version"], { encoding: "utf8" });
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+/)]);
  }, 60_000);

  test.each(["src/cli/main.js", ...services.map((name) => `services/${name}/main.js`)])(
    "starts from a few files, and needs no package for that: %s",
    (program) => {
      const loaded = [...loadedAtOnce(join(dist, program))];
      expect(loaded.filter((name) => !name.startsWith(programs))).toEqual([join(dist, program)]);
      expect(loaded.length).toBeLessThan(10);
    },
  );

  test("tells the licenses of the packages that its programs hold", () => {
    const told = readFileSync(join(programs, "LICENSES.txt"), "utf8");
    const texts = new Map(
      told.split(/^-{80}$/m).map((text) => [text.trim().split(" ")[0], text]),
    );
    for (const name of ["hono", "valibot", "ws", "yaml", "@modelcontextprotocol/sdk"]) {
      expect(texts.get(name), name).toMatch(/Copyright|License/);
    }
  });
});

/** A file and all that it imports before it runs; what is neither a file nor a part of the runtime is a fault. */
function loadedAtOnce(file: string, loaded = new Set<string>()): Set<string> {
  if (loaded.has(file)) return loaded;
  loaded.add(file);
  const text = readFileSync(file, "utf8");
  for (const [, , name = ""] of text.matchAll(/^(import|export) (?:[^"';]* from )?"([^"]+)";$/gm)) {
    if (name.startsWith("node:") || builtinModules.includes(name)) continue;
    const path = resolve(dirname(file), name);
    expect(existsSync(path), `${file} imports ${name}`).toBe(true);
    loadedAtOnce(path, loaded);
  }
  return loaded;
}
