/**
 * The client as a web page loads it: bundled by Bun for browsers, minified.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { executable } from "../support/start-program.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface BrowserBundle {
  /** An ES module without imports. */
  readonly text: string;
  /** Paths of the sources it was made of, from the project's folder, and names of what stays outside. */
  readonly inputs: readonly string[];
}

/** @throws {Error} with what Bun said, where it cannot bundle the client. */
export function bundleForBrowsers(): BrowserBundle {
  const bun = executable("bun");
  if (bun === undefined) throw new Error("Cannot bundle the client: there is no Bun here, run npm ci");
  const folder = mkdtempSync(join(tmpdir(), "realtime-bundle-"));
  try {
    const file = join(folder, "client.js");
    const metafile = join(folder, "meta.json");
    const flags = ["--minify", "--target=browser", `--outfile=${file}`, `--metafile=${metafile}`];
    const { status, stdout, stderr } = spawnSync(bun, ["build", ...flags, "src/client/mod.ts"], {
      cwd: root,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`Cannot bundle the client: ${stdout}${stderr}`);
    const meta = JSON.parse(readFileSync(metafile, "utf8")) as {
      inputs: Record<string, { imports: { path: string }[] }>;
    };
    const inputs = Object.entries(meta.inputs)
      .flatMap(([path, { imports }]) => [path, ...imports.map((row) => row.path)]);
    return { text: readFileSync(file, "utf8"), inputs: [...new Set(inputs)].sort() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
