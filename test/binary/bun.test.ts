/**
 * The executable that `npm run compile:bun` makes, moved away from the project that it was made of.
 */
import { copyFile, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileForBun } from "../../scripts/compile-bun.mjs";
import { executable, hasRuntime } from "../support/start-program.ts";
import { programSuite } from "./program-suite.ts";

const COMPILE_MS = 120_000;

describe.runIf(hasRuntime("bun"))("The executable of Bun", () => {
  let made: string;
  let elsewhere: string;
  beforeAll(async () => {
    made = await mkdtemp(join(tmpdir(), "realtime-bun-"));
    elsewhere = await mkdtemp(join(tmpdir(), "realtime-moved-"));
    await copyFile(
      await compileForBun({ bun: executable("bun")!, folder: made }),
      join(elsewhere, "realtime"),
    );
  }, COMPILE_MS);
  afterAll(async () => {
    for (const folder of [made, elsewhere]) await rm(folder, { recursive: true, force: true });
  });

  it("is one file of a bounded size, with the licenses of its packages beside it", async () => {
    const { size, mode } = await stat(join(made, "mcp-realtime"));
    expect(size).toBeLessThan(150e6);
    expect(mode & 0o111).toBe(0o111);
    const told = await readFile(join(made, "LICENSES.txt"), "utf8");
    for (const name of ["hono", "jose", "valibot", "yaml", "selfsigned", "@modelcontextprotocol/sdk"]) {
      expect(told, name).toMatch(new RegExp(`^${name} \\d`, "m"));
    }
  });

  programSuite(() => {
    const program = join(elsewhere, "realtime");
    return { program, args: [], here: [program] };
  });
});
