import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { describe, expect, test } from "vitest";
import { SERVICES } from "../../src/cli/services.ts";
import { contractTables } from "../support/contract-tables.ts";

const START = "<!-- From the contract; `UPDATE_DOCS=1 npx vitest run test/docs` writes it anew. -->";
const END = "<!-- End of the contract. -->";

/** As the formatter writes tables: columns of even width. */
const even = (text: string) => text.replaceAll(/-{3,}/g, "---").replaceAll(/ +/g, " ");

describe.each(Object.keys(SERVICES))("docs/%s.md", (name) => {
  test("holds what the contract says", async () => {
    const path = new URL(`../../docs/${name}.md`, import.meta.url);
    const text = readFileSync(path, "utf8");
    const { contract } = await SERVICES[name]!();
    const [start, end] = [text.indexOf(START) + START.length, text.indexOf(END)];
    expect(end).toBeGreaterThan(start);
    const tables = `\n\n${contractTables(contract)}\n\n`;
    if (process.env.UPDATE_DOCS === "1") writeFileSync(path, text.slice(0, start) + tables + text.slice(end));
    else expect(even(text.slice(start, end))).toBe(even(tables));
  });
});
