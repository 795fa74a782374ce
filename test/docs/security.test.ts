/**
 * Every defence of SECURITY.md names a test that is there, and the page goes where the package goes.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(`${root}/${path}`, "utf8");
const page = read("SECURITY.md");
const [, defended = ""] = page.split(/^## /m).filter((part) => /^(Who is who|What is defended)/.test(part));

/** Rows of the tables: a defence, and what proves it. */
const rows = defended.split("\n").filter((line) => line.startsWith("|") && !/^\|[ -]+\|/.test(line))
  .map((line) => line.split("|").slice(1, 3).map((cell) => cell.trim()) as [string, string])
  .filter(([defence]) => defence !== "defence");

describe("SECURITY.md", () => {
  it("has defences, what is left, and how to report", () => {
    expect(rows.length).toBeGreaterThan(20);
    expect(page).toContain("## What is not defended");
    expect(page).toContain("private security advisory");
  });

  it.each(rows)("%s", (_, proof) => {
    const named = [...proof.matchAll(/`(test\/[^`]+)`: "([^"]+)"/g)];
    expect(named).not.toEqual([]);
    for (const [, file, name] of named) {
      expect(existsSync(`${root}/${file}`), `${file} is there`).toBe(true);
      expect(read(file!).replaceAll(/\s+/g, " "), file).toContain(name);
    }
  });

  it("links to pages that are there", () => {
    const links = [...page.matchAll(/\]\(([^)#]+)\)/g)].map(([, path]) => path!);
    expect(links.length).toBeGreaterThan(2);
    for (const path of links) expect(existsSync(`${root}/${path}`), path).toBe(true);
  });

  it("is in the package", () => {
    expect(JSON.parse(read("package.json")).files).toContain("SECURITY.md");
  });
});
