/**
 * Finds out how the tests of a project are run, by the files in its folder.
 *
 * @module
 */
import type { Workspace } from "../../../src/ports/workspace.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import type { RunPlan } from "./run-plan.ts";

const MAX_MANIFEST_BYTES = 1_048_576;

const VITEST_CONFIGS = ["ts", "mts", "js", "mjs"].map((ending) => `vitest.config.${ending}`);
const PYTEST_FILES = [
  "pytest.toml",
  ".pytest.toml",
  "pytest.ini",
  ".pytest.ini",
  "conftest.py",
  "tests/conftest.py",
];

/**
 * The first that fits: Vitest (its config, or a dependency on it), pytest (its config, or a conftest.py),
 * `node --test` (as the package's test script), Deno (its config).
 *
 * @param folder The project's, real. @param root The allowed root that it lies in.
 * @throws {Refusal} NOT_AVAILABLE where nothing fits
 */
export async function detectRunner(workspace: Workspace, folder: string, root: string): Promise<RunPlan> {
  const looker = new Looker(workspace, folder);
  const manifest = await looker.json("package.json");
  const needs = { ...asObject(manifest?.dependencies), ...asObject(manifest?.devDependencies) };
  if ("vitest" in needs || await looker.any(VITEST_CONFIGS)) {
    return { runner: "vitest", command: [await vitestProgram(workspace, folder, root), "run"] };
  }
  if (
    await looker.any(PYTEST_FILES) || await looker.mentions("pyproject.toml", "[tool.pytest") ||
    await looker.mentions("setup.cfg", "[tool:pytest]") || await looker.mentions("tox.ini", "[pytest]")
  ) {
    return { runner: "pytest", command: [await pythonProgram(looker, folder, workspace), "-m", "pytest"] };
  }
  const script = asObject(manifest?.scripts).test;
  if (typeof script === "string" && /^(\w+=\S*\s+)*node\s(.*\s)?--test(\s|$)/.test(script.trim())) {
    // Quotes, globs, variables and more than one command are the shell's to read, as npm has it read them.
    const isPlain = !/["'`$&|;<>(){}*?\\=\n]/.test(script);
    return { runner: "node", command: isPlain ? script.trim().split(/\s+/) : ["sh", "-c", script.trim()] };
  }
  if (await looker.any(["deno.json", "deno.jsonc"])) return { runner: "deno", command: ["deno", "test"] };
  throw new Refusal(
    "NOT_AVAILABLE",
    'Cannot tell how the tests of this project are run: expected Vitest, pytest, a test script "node --test" or ' +
      "deno.json: set 'command' in the project's settings",
  );
}

class Looker {
  readonly #workspace: Workspace;
  readonly #folder: string;

  constructor(workspace: Workspace, folder: string) {
    this.#workspace = workspace;
    this.#folder = folder;
  }

  async any(names: readonly string[]): Promise<boolean> {
    for (const name of names) if ((await this.#facts(name))?.kind === "file") return true;
    return false;
  }

  async mentions(name: string, words: string): Promise<boolean> {
    return (await this.#text(name))?.includes(words) ?? false;
  }

  /** Undefined where there is none that can be read: then it tells nothing. */
  async json(name: string): Promise<Record<string, unknown> | undefined> {
    try {
      return asObject(JSON.parse(await this.#text(name) ?? "null"));
    } catch {
      return undefined;
    }
  }

  async #text(name: string): Promise<string | undefined> {
    const facts = await this.#facts(name);
    if (facts?.kind !== "file" || facts.size > MAX_MANIFEST_BYTES) return undefined;
    return new TextDecoder().decode(await this.#workspace.readFrom(this.#path(name), 0, MAX_MANIFEST_BYTES));
  }

  #facts(name: string) {
    return this.#workspace.facts(this.#path(name));
  }

  #path(name: string): string {
    return `${this.#folder}/${name}`;
  }
}

/** The nearest one installed, in the project's folder or above it up to the allowed root. */
async function vitestProgram(workspace: Workspace, folder: string, root: string): Promise<string> {
  for (
    let at = folder;
    at.startsWith(root) && at !== "";
    at = at.slice(0, at.lastIndexOf(workspace.separator))
  ) {
    const program = `${at}/node_modules/.bin/vitest`;
    if ((await workspace.facts(program))?.kind === "file") return program;
  }
  throw new Refusal(
    "NOT_AVAILABLE",
    "Cannot run the tests of this project: Vitest is not installed in its folder or above: install it, or set 'command'",
  );
}

async function pythonProgram(looker: Looker, folder: string, workspace: Workspace): Promise<string> {
  for (const name of [".venv/bin/python", "venv/bin/python", ".venv\\Scripts\\python.exe"]) {
    if (await looker.any([name])) return `${folder}/${name}`;
  }
  return workspace.separator === "/" ? "python3" : "python";
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}
