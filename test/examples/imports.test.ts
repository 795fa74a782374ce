import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const examples = readdirSync(join(root, "examples"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"));
const manifest = JSON.parse(readFileSync(join(root, "deno.json"), "utf8")) as {
  exports: Record<string, string>;
};
const exported = new Set(Object.values(manifest.exports).map((path) => path.replace(/^\.\//, "")));

describe("examples", () => {
  it.each(examples)("import only what a user can import: %s", (path) => {
    const file = join(root, "examples", path);
    const imported = [...readFileSync(file, "utf8").matchAll(/ from "(\.{1,2}\/[^"]+)"/g)]
      .map(([, specifier]) => relative(root, join(file, "..", specifier!)));
    const outside = imported.filter((target) => !target.startsWith("examples"));
    expect(outside.filter((target) => !exported.has(target))).toEqual([]);
  });
});
