import { describe, expect, test } from "vitest";
import { compareManifests } from "../../scripts/check-manifests.mjs";

const node = {
  name: "a",
  version: "1.0.0",
  license: "MIT",
  exports: { ".": { types: "./dist/mod.d.ts", default: "./dist/mod.js" } },
  bin: { a: "dist/src/cli/main.js" },
  dependencies: { hono: "^4.0.0" },
};
const deno = {
  name: "a",
  version: "1.0.0",
  license: "MIT",
  exports: { ".": "./mod.ts" },
  imports: { hono: "npm:hono@^4.0.0" },
};
const everywhere = () => true;

describe("compareManifests()", () => {
  test("finds nothing in two that agree", () => {
    expect(compareManifests(node, deno, everywhere)).toEqual([]);
  });

  test("names a version that differs", () => {
    expect(compareManifests(node, { ...deno, version: "1.0.1" }, everywhere)).toEqual([
      "version: package.json says '1.0.0', deno.json says '1.0.1'",
    ]);
  });

  test("names a subpath that only one has, and one that leads elsewhere", () => {
    const exports = { ".": "./main.ts", "./extra": "./extra.ts" };
    expect(compareManifests(node, { ...deno, exports }, everywhere)).toEqual([
      expect.stringContaining("exports: '.' of package.json must be"),
      "exports: './extra' is in deno.json only",
    ]);
  });

  test("names a source that is not there", () => {
    expect(compareManifests(node, deno, (path) => path !== "./src/cli/main.ts")).toEqual([
      "bin: 'a' is built from './src/cli/main.ts', which is not there",
    ]);
  });

  test("names a range that differs and a dependency that only one has", () => {
    const imports = { hono: "npm:hono@^3.0.0", yaml: "npm:yaml@^2.0.0" };
    expect(compareManifests(node, { ...deno, imports }, everywhere)).toEqual([
      "dependencies: 'hono' is 'npm:hono@^4.0.0' by package.json, 'npm:hono@^3.0.0' by deno.json",
      "dependencies: 'yaml' is 'absent' by package.json, 'npm:yaml@^2.0.0' by deno.json",
    ]);
  });
});
