import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { excalidrawSettings } from "../../../services/excalidraw/domain/settings.ts";

describe("excalidrawSettings", () => {
  test("has a value for everything that is not said", () => {
    expect(v.parse(excalidrawSettings, {})).toMatchObject({
      diagram_bytes: 786_432,
      tombstone_seconds: 86_400,
    });
  });

  test.each([
    ["diagrams", 1, 1_000_000],
    ["elements_per_diagram", 1, 20_000],
    ["element_bytes", 256, 1_000_000],
    ["diagram_bytes", 1_024, 1_000_000],
    ["tombstone_seconds", 0, 31_536_000],
    ["users_per_diagram", 1, 300],
    ["joins_per_connection", 1, 10_000],
    ["joins", 1, 100_000],
    ["lease_seconds", 5, 86_400],
    ["cursor_interval_ms", 0, 60_000],
    ["cursors", 1, 1_000_000],
  ])("%s is a whole number from %d to %d", (name, min, max) => {
    for (const value of [min, max]) {
      expect(v.parse(excalidrawSettings, { [name]: value })).toMatchObject({ [name]: value });
    }
    for (const value of [min - 1, max + 1, min + 0.5, "5", null, NaN]) {
      const { success, issues } = v.safeParse(excalidrawSettings, { [name]: value });
      expect(success).toBe(false);
      expect(issues![0].message).toBe(`expected a whole number from ${min} to ${max}`);
    }
  });

  test("knows no other names", () => {
    expect(v.is(excalidrawSettings, { diagramms: 1 })).toBe(false);
  });
});
