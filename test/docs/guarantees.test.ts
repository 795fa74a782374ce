/**
 * Every promise of docs/guarantees.md names a test that is there.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(`${root}/docs/guarantees.md`, "utf8");

/** Rows of the tables: a promise, and what proves it. */
const rows = page.split("\n").filter((line) => line.startsWith("|") && !/^\|[ -]+\|/.test(line))
  .map((line) => line.split("|").slice(1, 3).map((cell) => cell.trim()) as [string, string])
  .filter(([promise]) => promise !== "promise");

describe("docs/guarantees.md", () => {
  it("has promises", () => expect(rows.length).toBeGreaterThan(20));

  it.each(rows)("%s", (_, proof) => {
    const named = [...proof.matchAll(/`(test\/[^`]+)`: "([^"]+)"/g)];
    expect(named).not.toEqual([]);
    for (const [, file, name] of named) {
      expect(existsSync(`${root}/${file}`), `${file} is there`).toBe(true);
      expect(readFileSync(`${root}/${file}`, "utf8").replaceAll(/\s+/g, " "), file).toContain(name);
    }
  });
});
