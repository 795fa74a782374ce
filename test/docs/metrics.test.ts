/**
 * The table of docs/metrics.md is the catalog.
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { expect, test } from "vitest";
import { type MetricRow, METRICS } from "../../src/metrics/catalog.ts";

const START = "<!-- From the catalog; `UPDATE_DOCS=1 npx vitest run test/docs` writes it anew. -->";
const END = "<!-- End of the catalog. -->";
const path = new URL("../../docs/metrics.md", import.meta.url);

/** As the formatter writes tables: columns of even width. */
const even = (text: string) => text.replaceAll(/-{3,}/g, "---").replaceAll(/ +/g, " ");

function table(): string {
  const rows = Object.entries<MetricRow>(METRICS).map(([name, { type, labels, meaning, buckets }]) => {
    const bounds = buckets ? `; buckets up to ${buckets.at(-1)!.toLocaleString("en")} s` : "";
    return `| \`${name}\` | ${type} | ${
      labels.map((label) => `\`${label}\``).join(" ")
    } | ${meaning}${bounds} |`;
  });
  return ["| metric | type | labels | meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

test("docs/metrics.md has a row for every metric of the catalog, as the catalog says it", () => {
  const text = readFileSync(path, "utf8");
  const [start, end] = [text.indexOf(START) + START.length, text.indexOf(END)];
  expect(end).toBeGreaterThan(start);
  const expected = `\n\n${table()}\n\n`;
  if (process.env.UPDATE_DOCS === "1") writeFileSync(path, text.slice(0, start) + expected + text.slice(end));
  else expect(even(text.slice(start, end))).toBe(even(expected));
});

test("docs/metrics.md names no metric that is not there, but those that it says are not", () => {
  const gone = [
    "skill_invocations_total",
    "skill_duration_seconds",
    "active_sessions_total",
    "anomalies_detected_total",
  ];
  const named = [
    ...readFileSync(path, "utf8").matchAll(/`([a-z]+(?:_[a-z]+)*_(?:total|seconds|bytes|info|ms))`/g),
  ];
  for (const [, name] of named) {
    expect(Object.hasOwn(METRICS, name!) || gone.includes(name!), name).toBe(true);
  }
});
