/**
 * `node scripts/publish-jsr.mjs --scope NAME [--dry-run] [FLAGS]`: publish to JSR with `deno publish`. FLAGS go to it.
 *
 * Names on JSR begin with a scope, which belongs to whoever publishes; npm's name, which `deno.json` has too, has none.
 * So a copy is published, of what `publish.include` of `deno.json` names, whose manifest has the scope. The copy also
 * keeps what lies around in the project's folder out of it.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * What schemas infer is not written out a second time for JSR's sake: users have the types all the same, as Deno
 * infers them, a little slower.
 */
const FLAGS = ["--allow-slow-types", "--allow-dirty"];

/**
 * @param {object} options
 * @param {string} options.scope with or without its @
 * @param {string} [options.deno] the program
 * @param {readonly string[]} [options.args] more for `deno publish`
 * @param {"inherit" | "pipe"} [options.stdio] where it talks to; with "pipe" what it says is returned
 * @returns {{ status: number | null, output: string }}
 */
export function publishToJsr({ scope, deno = "deno", args = [], stdio = "inherit" }) {
  const folder = mkdtempSync(join(tmpdir(), "publish-jsr-"));
  try {
    const manifest = JSON.parse(readFileSync(join(root, "deno.json"), "utf8"));
    for (const path of manifest.publish.include) {
      cpSync(join(root, path), join(folder, path), { recursive: true });
    }
    manifest.name = `@${scope.replace(/^@/, "")}/${manifest.name}`;
    writeFileSync(join(folder, "deno.json"), JSON.stringify(manifest, undefined, 2));
    // Deno looks here for the packages that types are checked with.
    for (const name of ["node_modules", "package.json"]) symlinkSync(join(root, name), join(folder, name));
    const { status, stdout, stderr, error } = spawnSync(deno, ["publish", ...FLAGS, ...args], {
      cwd: folder,
      stdio,
      env: { ...process.env, ...stdio === "pipe" && { NO_COLOR: "1" } },
      encoding: "utf8",
    });
    if (error) {
      throw new Error(`Cannot start "${deno}": run 'npm ci' first, then this by 'npm run'`, { cause: error });
    }
    return { status, output: `${stdout ?? ""}${stderr ?? ""}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const at = args.indexOf("--scope");
  const [, scope = ""] = at < 0 ? [] : args.splice(at, 2);
  if (!/^@?[a-z][a-z0-9-]{1,98}$/.test(scope)) {
    console.error(`--scope: expected the name of your scope on JSR, got "${scope}": see https://jsr.io/new`);
    process.exitCode = 2;
  } else {
    process.exitCode = publishToJsr({ scope, args }).status ?? 1;
  }
}
