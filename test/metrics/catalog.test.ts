import { describe, expect, test } from "vitest";
import { LABELS, type MetricRow, METRICS } from "../../src/metrics/catalog.ts";

const rows: [string, MetricRow][] = Object.entries(METRICS);

describe("METRICS", () => {
  test.each(rows)("%s has a legal name that tells its type and unit", (name, row) => {
    expect(name).toMatch(/^(websocket|mcp|process)_[a-z_]+$/);
    expect(name.endsWith("_total")).toBe(row.type === "counter");
    const unit = name.replace(/_total$/, "").split("_").at(-1)!;
    const units: Record<string, string> = { seconds: "s", ms: "ms", bytes: "byte" };
    expect(units[unit] ?? "1").toBe(row.unit);
    expect(name).not.toMatch(/_(bucket|sum|count)$/);
    expect(row.meaning).toMatch(/^[A-Z0-9].*[^.]$/);
  });

  test.each(rows)("%s has known labels, the server first, and buckets where it is a histogram", (_, row) => {
    expect(row.labels[0]).toBe("server");
    expect(new Set(row.labels).size).toBe(row.labels.length);
    for (const label of row.labels) expect(Object.hasOwn(LABELS, label)).toBe(true);
    expect(row.buckets !== undefined).toBe(row.type === "histogram");
    expect([...row.buckets ?? []].sort((a, b) => a - b)).toEqual(row.buckets ?? []);
  });

  test.each(rows.filter(([, { sameAs }]) => sameAs !== undefined))(
    "%s is what it says to be the same as",
    (_, row) => {
      const { sameAs, meaning, ...rest } = row;
      const shown = new Map(rows).get(sameAs!);
      expect(shown).toMatchObject(rest);
      expect(shown).not.toHaveProperty("sameAs");
      expect(meaning).toContain(sameAs);
    },
  );
});
