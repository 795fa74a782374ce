/**
 * What npm publishes, tried as a user would.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pack, packageFaults } from "../../scripts/check-package.mjs";
import { VERSION } from "../../src/protocol/version.ts";
import { programSuite } from "../binary/program-suite.ts";
import { buildOnce } from "../support/build-once.ts";
import { executable, hasRuntime } from "../support/start-program.ts";
import { installPacked } from "./installed.ts";

const PATIENCE_MS = 180_000;
const root = fileURLToPath(new URL("../..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const readme = readFileSync(join(root, "README.md"), "utf8");
const subpaths = Object.keys(manifest.exports).map((subpath) => subpath.replace(/^\./, manifest.name));

let folder: string;
beforeAll(async () => {
  await buildOnce();
  folder = await installPacked();
}, 2 * PATIENCE_MS);
afterAll(() => rm(folder, { recursive: true, force: true }));

function run(program: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: "utf8" });
  return { status, stdout, stderr };
}

describe("npm pack", () => {
  it("takes all that users need, and nothing else", () => {
    expect(packageFaults(pack(), manifest, readme)).toEqual([]);
  });

  it("takes no path of the machine that it was made on", () => {
    const packed = join(folder, "node_modules", manifest.name);
    const files = readdirSync(packed, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile()
    );
    expect(files.length).toBeGreaterThan(100);
    const places = [root, `${homedir()}/`];
    const telling = files.map((entry) => join(entry.parentPath, entry.name)).filter((path) => {
      const text = readFileSync(path, "utf8");
      return places.some((place) => text.includes(place));
    });
    expect(telling).toEqual([]);
  });
});

describe("The installed package", () => {
  // Hono's part for Bun, which the runtime for Bun stands on, asks for Bun as soon as it is loaded.
  const ofBun = `${manifest.name}/runtimes/bun`;

  it.each(subpaths.filter((name) => name !== ofBun))("can be imported on Node: %s", (name) => {
    const words = ["--input-type=module", "-e", `console.log(Object.keys(await import("${name}")).length)`];
    const { status, stdout, stderr } = run(executable("node")!, words);
    expect([status, stderr]).toEqual([0, ""]);
    expect(Number(stdout)).toBeGreaterThan(0);
  }, PATIENCE_MS);

  it.runIf(hasRuntime("bun"))(`can be imported on Bun: ${ofBun}`, () => {
    const words = ["-e", `console.log(Object.keys(await import("${ofBun}")).length)`];
    expect(run(executable("bun")!, words)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^[1-9]/),
    });
  }, PATIENCE_MS);

  it.each(["node16", "nodenext", "bundler"])("has types for every import, by '%s'", async (resolution) => {
    const imports = subpaths.map((name, index) => `import * as m${index} from "${name}";\n`);
    const used = subpaths.map((_, index) =>
      // An import without types would be of type any.
      `export const n${index}: 0 extends 1 & typeof m${index} ? never : number = Object.keys(m${index}).length;\n`
    );
    const examples = [...readme.matchAll(/^```ts\n(import [\s\S]*?)^```$/gm)].map((match) => match[1]!);
    expect(examples.length).toBeGreaterThan(0);
    await writeFile(join(folder, "imports.ts"), [...imports, ...used].join(""));
    await Promise.all(examples.map((text, index) => writeFile(join(folder, `readme-${index}.ts`), text)));
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          target: "ES2023",
          lib: ["ES2024", "DOM", "DOM.Iterable"],
          module: resolution === "bundler" ? "esnext" : resolution,
          moduleResolution: resolution,
          strict: true,
          noEmit: true,
          // Once is enough: what the declarations say does not depend on how they are found.
          skipLibCheck: resolution !== "nodenext",
          types: ["node"],
        },
        files: ["imports.ts", ...examples.map((_, index) => `readme-${index}.ts`)],
      }),
    );
    const { stdout } = run(executable("node")!, [join(root, "node_modules/typescript/bin/tsc"), "-p", "."]);
    // What other packages have to say of each other is not ours to mend.
    const others = new RegExp(`^node_modules/(?!${manifest.name}/)`);
    const faults = stdout.split("\n").filter((line) => line.includes("error TS") && !others.test(line));
    expect(faults).toEqual([]);
  }, PATIENCE_MS);

  it("has a command that npm finds", () => {
    expect(run("npm", ["exec", "--no", "--", "mcp-realtime", "--version"])).toMatchObject({
      status: 0,
      stdout: `${VERSION}\n`,
    });
  }, PATIENCE_MS);

  programSuite(() => {
    const program = executable("node")!;
    const file = realpathSync(join(folder, "node_modules/.bin/mcp-realtime"));
    return { program, args: [file], here: [program, file] };
  });
});
