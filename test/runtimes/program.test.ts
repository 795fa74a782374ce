import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nodeFault } from "../../src/runtimes/program.ts";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { runInShell } from "../support/shell-command.ts";
import { runToEnd } from "../support/serve-process.ts";

const PATIENCE_MS = 120_000;
const scratch = useBuiltScratch();

describe("nodeFault", () => {
  it("names the Node that package.json wants", async () => {
    const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
    const wanted = (JSON.parse(text) as { engines: { node: string } }).engines.node.replace(/^>=/, "");
    expect(nodeFault({ node: "18.20.4" })).toBe(
      `Expected Node ${wanted} or newer, got 18.20.4: install a newer one, or use Deno or Bun`,
    );
    expect(nodeFault({ node: `${wanted}.0` })).toBe(null);
  });

  it("takes a newer Node, and whatever Deno and Bun say of theirs", () => {
    expect(["20.18.9", "20.20.0", "22.1.0"].map((node) => nodeFault({ node }) === null)).toEqual([
      false,
      true,
      true,
    ]);
    expect(nodeFault({ node: "18.0.0", deno: "2.5.0" })).toBe(null);
    expect(nodeFault({ node: "18.0.0", bun: "1.3.0" })).toBe(null);
  });
});

describe("a program", { timeout: PATIENCE_MS }, () => {
  const old = "Object.defineProperty(process,'versions',{value:{...process.versions,node:'18.20.4'}})";

  it.each(["serve", "session-buddy"] as const)(
    "says which Node it needs, and ends with 1: %s",
    async (entry) => {
      const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(old)}` };
      const { code, stdout, stderr } = await runToEnd("node", { entry, environment });
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(/^Expected Node \d+\.\d+ or newer, got 18\.20\.4: [^\n]+\n$/);
    },
  );

  it.each(["doctor", "serve akosha", "config check"])(
    "says that its folder is gone, and ends with 1: %s",
    async (words) => {
      const folder = join(scratch.folder, "gone");
      await mkdir(folder);
      const { code, stderr } = await runInShell(words.split(" "), 'rmdir "$PWD"; "$@"', { folder });
      expect([code, stderr]).toEqual([
        1,
        "The folder that this was started in does not exist any more: start it in another one\n",
      ]);
    },
  );
});
