/**
 * Parts that a test needs and a machine may lack: another runtime, Python with its packages, a browser.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Whether tests that need `what` can run here: `describe.runIf(requireOrSkip("Deno", found, "run npm ci"))(…)`.
 * A missing part is said aloud on standard error, as `SKIPPED: …`.
 *
 * @param hint How to get it.
 * @throws {Error} where it is missing and the environment has `REQUIRE_ALL=1`: then nothing may be left out.
 */
export function requireOrSkip(what: string, available: boolean, hint: string): boolean {
  if (available) return true;
  if (process.env.REQUIRE_ALL === "1") {
    throw new Error(`Cannot leave out tests that need ${what} as REQUIRE_ALL is 1: ${hint}`);
  }
  process.stderr.write(`SKIPPED: tests that need ${what}: ${hint}\n`);
  return false;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const found = new Map<string, string | undefined>();

/**
 * A Python that can import all of `modules`: the one that `PYTHON` names, else that of `.venv`, else `python3`;
 * undefined where none of them can.
 */
export function pythonPath(modules: readonly string[] = ["websockets", "pydantic"]): string | undefined {
  const imports = `import ${modules.join(", ")}`;
  if (!found.has(imports)) {
    const venv = `${root}.venv/bin/python`;
    const candidates = [process.env.PYTHON, existsSync(venv) ? venv : undefined, "python3"];
    found.set(
      imports,
      candidates.find((python) => python && spawnSync(python, ["-c", imports]).status === 0),
    );
  }
  return found.get(imports);
}
