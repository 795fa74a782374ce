/**
 * What `deno task compile` makes. Its last step takes a program, denort, that Deno fetches from the network; without it
 * everything else is tried: the joined files run as they would in the executable, with the same permissions, and Deno
 * embeds them.
 */
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileForDeno, joinForDeno, PERMISSIONS } from "../../scripts/compile-deno.mjs";
import { executable, hasRuntime } from "../support/start-program.ts";
import { programSuite } from "./program-suite.ts";

const PATIENCE_MS = 120_000;

interface ModuleGraph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: { readonly specifier?: string; readonly error?: string };
    }[];
  }[];
}

describe.runIf(hasRuntime("deno"))("What is compiled for Deno", () => {
  let folder: string;
  let main: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "realtime-deno-"));
    ({ main } = await joinForDeno(folder));
  }, PATIENCE_MS);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("is found as a whole by Deno, the parts that are loaded late included", async () => {
    const { stdout, stderr } = spawnSync(executable("deno")!, ["info", "--no-config", "--json", main], {
      cwd: folder,
      encoding: "utf8",
    });
    const { modules } = JSON.parse(stdout) as ModuleGraph;
    const needed = modules.flatMap(({ dependencies = [] }) => dependencies).flatMap(({ code }) => code ?? []);
    const missing = new Set(
      modules.filter(({ error }) => error !== undefined).map(({ specifier }) => specifier),
    );
    expect(needed.length, stderr).toBeGreaterThan(50);
    expect(needed.filter(({ error, specifier = "" }) => error !== undefined || missing.has(specifier)))
      .toEqual([]);
    const parts = (await readdir(join(folder, "parts"))).filter((name) => name.endsWith(".js")).sort();
    const found = modules.filter(({ error }) => error === undefined)
      .map(({ specifier }) => specifier).filter((name) => name.includes("/parts/"));
    expect(found.map((specifier) => specifier.split("/").at(-1)).sort()).toEqual(parts);
  }, PATIENCE_MS);

  it("names no import that is computed, but for the engine that only Node 20 needs", async () => {
    const parts = await readdir(join(folder, "parts"));
    const texts = await Promise.all(
      [main, ...parts.map((name) => join(folder, "parts", name))].map((path) => readFile(path, "utf8")),
    );
    // Not a method of that name.
    const computed = texts.flatMap((text) => text.match(/(?<![\w$.])import\((?!["'])[^)]*\)(?! ?\{)/g) ?? []);
    expect(computed).toEqual(['import(["lib", "sql"].join("")']);
  });

  it("is embedded by Deno, with a stand-in where its program cannot be fetched", async () => {
    const made = await mkdtemp(join(tmpdir(), "realtime-denort-"));
    try {
      process.env.DENORT_BIN = executable("deno");
      const path = await compileForDeno({ deno: executable("deno")!, folder: made, args: ["--quiet"] });
      const text = await readFile(path, "latin1");
      for (const word of ["Serve services until Ctrl-C", "BEGIN IMMEDIATE"]) expect(text).toContain(word);
      expect(await readFile(join(made, "LICENSES.txt"), "utf8")).toMatch(/^hono \d/m);
    } finally {
      delete process.env.DENORT_BIN;
      await rm(made, { recursive: true, force: true });
    }
  }, PATIENCE_MS);

  programSuite(() => {
    const program = executable("deno")!;
    return {
      program,
      args: ["run", "--no-config", ...PERMISSIONS, main],
      here: [program, "run", "-A", main],
    };
  });
});
