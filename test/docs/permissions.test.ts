/**
 * The tables of docs/permissions.md are those of the contracts, and the tests that the page names are there.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { SERVICES } from "../../src/cli/services.ts";
import { permissionTable } from "../support/permission-tables.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const path = `${root}/docs/permissions.md`;
const START = "<!-- From the contracts; `UPDATE_DOCS=1 npx vitest run test/docs` writes it anew. -->";
const END = "<!-- End of the contracts. -->";

/** As the formatter writes tables: columns of even width. */
const even = (text: string) => text.replaceAll(/-{3,}/g, "---").replaceAll(/ +/g, " ");

describe("docs/permissions.md", () => {
  it("holds what the contracts say", async () => {
    const text = readFileSync(path, "utf8");
    const [start, end] = [text.indexOf(START) + START.length, text.indexOf(END)];
    expect(end).toBeGreaterThan(start);
    const parts: string[] = [];
    for (const [name, load] of Object.entries(SERVICES)) {
      const { contract, routes = [] } = await load();
      parts.push(`### ${name}`, permissionTable(contract, routes));
    }
    const tables = `\n\n${parts.join("\n\n")}\n\n`;
    if (process.env.UPDATE_DOCS === "1") writeFileSync(path, text.slice(0, start) + tables + text.slice(end));
    else expect(even(text.slice(start, end))).toBe(even(tables));
  });

  it("names tests that are there", () => {
    const named = [
      ...readFileSync(path, "utf8").replaceAll(/\s+/g, " ").matchAll(/`(test\/[^`]+)`: "([^"]+)"/g),
    ];
    expect(named.length).toBeGreaterThan(5);
    for (const [, file, name] of named) {
      expect(existsSync(`${root}/${file}`), `${file} is there`).toBe(true);
      expect(readFileSync(`${root}/${file}`, "utf8").replaceAll(/\s+/g, " "), file).toContain(name);
    }
  });
});
