import { describe, expect, it } from "vitest";
import { applyRules } from "../../../services/akosha/domain/feed-rules.ts";

const RULE = { event: "count.changed", metric: "m", value: "/count", factor: 1, labels: {} };

describe("applyRules()", () => {
  const now = Date.UTC(2026, 0, 1);
  const apply = (rule: object, data: object, timestamp = "2026-01-01T00:00:00Z") =>
    applyRules([{ ...RULE, ...rule }], { event: "count.changed", data: data as never, timestamp }, {
      source: "other",
      now,
      futureMs: 1_000,
    });

  it("finds value and labels by their pointers, and multiplies", () => {
    const labels = { project: "/project", deep: "/a/b~1c", none: "/none", flag: "/flag" };
    const data = { project: "shop", a: { "b/c": 7, ms: 1_500 }, flag: true };
    const { observations, ignored } = apply({ value: "/a/ms", factor: 0.001, labels }, data);
    expect(ignored).toBe(0);
    expect(observations).toMatchObject([{
      value: 1.5,
      at: now,
      series: { metric: "m", source: "other", labels: { deep: "7", flag: "true", project: "shop" } },
    }]);
  });

  it("takes nothing from other events", () => {
    expect(apply({ event: "other.event" }, { count: 1 })).toEqual({ observations: [], ignored: 0 });
  });

  it.each([
    ["null", { count: null }, undefined],
    ["text", { count: "5" }, undefined],
    ["a number past all bounds", { count: 1e101 }, undefined],
    ["a number that is none", { count: NaN }, undefined],
    ["an integer past what a number holds", { count: 10n ** 30n }, undefined],
    ["nothing", {}, undefined],
    ["what every object has", { toString: undefined }, undefined],
    ["a time that is none", { count: 1 }, "soon"],
    ["a time in the future", { count: 1 }, "2026-01-01T00:00:02Z"],
  ])("counts as ignored: %s", (_, data, timestamp) => {
    expect(apply({}, data, timestamp)).toEqual({ observations: [], ignored: 1 });
  });

  it("cuts label values that are too long", () => {
    const { observations } = apply({ labels: { name: "/name" } }, { count: 1, name: "x".repeat(9_999) });
    expect(observations[0]!.series.labels.name).toHaveLength(256);
  });
});
