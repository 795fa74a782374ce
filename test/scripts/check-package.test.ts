import { describe, expect, it } from "vitest";
import { packageFaults } from "../../scripts/check-package.mjs";

const manifest = {
  exports: { ".": { types: "./dist/mod.d.ts", default: "./dist/mod.js" } },
  bin: { program: "dist/src/cli/main.js" },
};
const paths = [
  "package.json",
  "README.md",
  "dist/mod.js",
  "dist/mod.d.ts",
  "dist/src/cli/main.js",
  "docs/client.md",
];
const file = (path: string) => ({ path, size: 10, mode: path.includes("cli/main") ? 0o755 : 0o644 });
const packed = { filename: "p.tgz", size: 1_000, unpackedSize: 5_000, files: paths.map(file) };

describe("packageFaults", () => {
  it("finds none in a package that has what it names", () => {
    expect(
      packageFaults(packed, manifest, "[client](docs/client.md#top) [docs](docs) [web](https://example.org)"),
    )
      .toEqual([]);
  });

  it("names what does not belong there", () => {
    const more = [
      "dist/.stamp",
      "src/cli/main.ts",
      "dist/src/cli/main.ts",
      "data/akosha.db",
      "test/a.test.ts",
      ".env",
    ];
    const faults = packageFaults({ ...packed, files: [...packed.files, ...more.map(file)] }, manifest, "");
    expect(faults).toEqual(
      more.map((path) => `"${path}" is packed, and no pattern of scripts/check-package.mjs allows that`),
    );
  });

  it("names what is missing, cannot be run, or is too large", () => {
    const files = packed.files.filter(({ path }) => path !== "dist/mod.d.ts").map((entry) => ({
      ...entry,
      mode: 0o644,
    }));
    expect(packageFaults({ ...packed, files, size: 3e6 }, manifest, "[x](docs/missing.md)")).toEqual([
      `"dist/mod.d.ts" is named by package.json and not packed: run 'npm run build'`,
      '"dist/src/cli/main.js" is a program and cannot be executed',
      'README.md links to "docs/missing.md", which is not packed',
      "size: expected at most 2000000 bytes, got 3000000",
    ]);
  });
});
