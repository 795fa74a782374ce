/**
 * What JSR would be given, as far as Deno tells without it: every check that `deno publish` makes before it uploads.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { publishToJsr } from "../../scripts/publish-jsr.mjs";
import { executable, hasRuntime } from "../support/start-program.ts";

const manifest = JSON.parse(readFileSync(fileURLToPath(new URL("../../deno.json", import.meta.url)), "utf8"));

describe.runIf(hasRuntime("deno"))("deno publish", () => {
  it("finds no fault, and takes the sources of every export and nothing else", () => {
    const { status, output } = publishToJsr({
      scope: "some-scope",
      deno: executable("deno")!,
      // Types are checked by 'deno check', and once more by 'npm run check:jsr'.
      args: ["--dry-run", "--no-check"],
      stdio: "pipe",
    });
    expect(status, output).toBe(0);
    expect(output).toContain(`Simulating publish of @some-scope/${manifest.name}@${manifest.version}`);
    const files = [...output.matchAll(/^\s+file:\/\/\/\S+?\/publish-jsr-\w+\/(\S+) \(/gm)].map(([, path]) =>
      path!
    );
    const source = /^(?:mod\.ts|(?:src|services)\/[\w/-]+\.ts|(?:README|CHANGELOG)\.md|LICENSE|deno\.json)$/;
    expect(files.filter((path) => !source.test(path))).toEqual([]);
    for (const path of Object.values<string>(manifest.exports)) {
      expect(files).toContain(path.replace(/^\.\//, ""));
    }
  }, 180_000);
});
