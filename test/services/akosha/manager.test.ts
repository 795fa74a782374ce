import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NILE, SUNSPOTS, yearly } from "./public-series.ts";
import { normal } from "./planted-series.ts";
import { type Started, startManager } from "./started-manager.ts";

let akosha: Started;
beforeEach(async () => {
  akosha = await startManager();
});
afterEach(() => akosha.stop());

const repeated = (count: number, value: number) => Array<number>(count).fill(value);
const noise = (count: number, seed = 1) => Array.from({ length: count }, normal(seed));
const at = (ms: number) => new Date(Date.UTC(2025, 0, 1) + ms).toISOString();

describe("an anomaly", () => {
  it("is told once for values that follow each other, and again when usual ones were in between", async () => {
    const events = await akosha.feed("latency", [...repeated(90, 10), 50, 60, 55]);
    expect(events).toEqual(["anomaly.detected", "insight.generated"]);
    expect((await akosha.request("get_anomalies", {})).anomalies).toMatchObject([{
      anomaly_type: "spike",
      severity: "critical",
      description: "latency is 50, expected about 10",
      metrics: { metric: "latency", value: 50, expected: 10, source: "api", labels: {} },
      peak: { value: 60 },
      observations: 3,
      ended_at: null,
    }]);
    expect(await akosha.feed("latency", [10, 10, 70, 10, 10])).toEqual([]);
    expect(await akosha.feed("latency", [10, 10])).toEqual([]);
    expect((await akosha.request("get_anomalies", {})).anomalies[0]!.ended_at).not.toBeNull();
    expect(await akosha.feed("latency", [-50])).toEqual(["anomaly.detected"]);
    expect((await akosha.request("get_anomalies", {})).anomalies[0]).toMatchObject({ anomaly_type: "drop" });
  });

  it("goes to its channel with the contract's fields, and its insight cites it", async () => {
    await akosha.feed("latency", repeated(20, 10), { labels: { host: "a" }, source: "probe" });
    akosha.told();
    const { anomalies } = await akosha.request("record_observations", {
      observations: [{ metric: "latency", value: 11, labels: { host: "a" }, source: "probe" }],
    });
    expect(akosha.told()).toMatchObject([
      { event: "anomaly.detected", channels: ["anomalies"], data: { anomaly_id: anomalies[0] } },
      {
        event: "insight.generated",
        channels: ["insights"],
        data: {
          insight_type: "incident",
          title: "latency of host 'a' stands out",
          data: { evidence: anomalies, subject: "host 'a'", metrics: ["latency"] },
        },
      },
    ]);
  });

  it("is of one series: the same metric with other labels or of another source is judged by itself", async () => {
    await akosha.feed("load", repeated(20, 1), { labels: { host: "a" } });
    expect(await akosha.feed("load", repeated(20, 100), { labels: { host: "b" } })).toEqual([]);
    expect(await akosha.feed("load", repeated(20, 200), { labels: { host: "a" }, source: "other" })).toEqual(
      [],
    );
    expect((await akosha.request("list_metrics", {})).count).toBe(3);
  });
});

describe("an insight", () => {
  it("gathers what comes soon after about the same subject, and is not told again", async () => {
    const labels = { project: "shop" };
    await akosha.feed("tests.failed", repeated(20, 0), { labels });
    await akosha.feed("tests.seconds", repeated(20, 5), { labels });
    await akosha.feed("tests.failed", [3], { labels });
    expect(await akosha.feed("tests.seconds", [90], { labels })).toEqual(["anomaly.detected"]);
    const { anomalies } = await akosha.request("get_anomalies", {});
    const { insights } = await akosha.request("get_insights", {});
    expect(insights).toMatchObject([{
      insight_type: "incident",
      data: { subject: "project 'shop'", metrics: ["tests.failed", "tests.seconds"] },
    }]);
    expect(insights[0]!.data.evidence).toEqual(anomalies.map(({ anomaly_id }) => anomaly_id).reverse());
  });

  it("tells of a series that stands out a third time within a day", async () => {
    await akosha.feed("errors", repeated(30, 0));
    for (let spike = 1; spike <= 3; spike++) {
      await akosha.feed("errors", [9, ...repeated(20, 0)]);
      akosha.clock.advance(3_600_000);
    }
    const { insights } = await akosha.request("get_insights", {});
    const recurrences = insights.filter(({ insight_type }) => insight_type === "recurrence");
    expect(recurrences).toHaveLength(1);
    expect(recurrences[0]!.data.evidence).toHaveLength(3);
  });

  it("names two series that move together where both stand out", async () => {
    const shared = noise(40, 11);
    const observations = shared.flatMap((value, index) =>
      ["queue", "latency"].map((metric) => ({ metric, value: 10 * value, at: at(index * 60_000) }))
    );
    await akosha.request("record_observations", { observations });
    const { patterns } = await akosha.request("get_patterns", { category: "correlation" });
    expect(patterns).toHaveLength(1);
    const spikes = ["queue", "latency"].map((metric) => ({ metric, value: 500, at: at(41 * 60_000) }));
    const { anomalies } = await akosha.request("record_observations", { observations: spikes });
    const { insights } = await akosha.request("get_insights", {});
    expect(insights.find(({ insight_type }) => insight_type === "related")).toMatchObject({
      title: "queue and latency stand out together",
      data: { evidence: [anomalies[1], anomalies[0], patterns[0]!.pattern_id] },
    });
  });
});

describe("a pattern", () => {
  it("change_point: the Nile's flow has another level from 1899 on, and is told once", async () => {
    await akosha.request("record_observations", { observations: yearly("nile.flow", NILE) });
    const { patterns } = await akosha.request("get_patterns", {});
    expect(patterns).toMatchObject([{ pattern_type: "change_point", metrics: [{ metric: "nile.flow" }] }]);
    expect(patterns[0]!.evidence.changed_at).toBe("1899-06-30T00:00:00.000Z");
    const told = akosha.told().filter(({ event }) => event === "pattern.detected");
    expect(told).toMatchObject([{ channels: ["patterns:change_point"] }]);
    const { insights } = await akosha.request("get_insights", {});
    expect(insights.find(({ insight_type }) => insight_type === "shift")!.data.evidence)
      .toEqual([patterns[0]!.pattern_id]);
  });

  it("period: sunspots come and go in about eleven years, and that is told once", async () => {
    await akosha.request("record_observations", { observations: yearly("sunspots", SUNSPOTS) });
    const { patterns, category } = await akosha.request("get_patterns", { category: "period" });
    expect(category).toBe("period");
    expect(patterns).toHaveLength(1);
    expect(Number(patterns[0]!.evidence.observations_per_period)).toBeGreaterThanOrEqual(10);
    expect(Number(patterns[0]!.evidence.observations_per_period)).toBeLessThanOrEqual(12);
    expect(patterns[0]!.confidence).toBeGreaterThan(0.5);
    const others = (await akosha.request("get_patterns", {})).patterns;
    expect(others).toHaveLength(1);
  });

  it("trend: is told on its onset and ends when the values rest", async () => {
    const rising = noise(80).map((value, index) => index + value);
    const events = await akosha.feed("disk.used", rising);
    expect(events.filter((event) => event === "pattern.detected")).toHaveLength(1);
    const active = (await akosha.request("get_patterns", { category: "trend" })).patterns[0]!;
    expect(active).toMatchObject({ evidence: { direction: "increasing" }, ended_at: null });
    expect(Number(active.evidence.slope_per_observation)).toBeCloseTo(1, 0);
    await akosha.feed("disk.used", noise(80, 2).map((value) => 80 + value));
    expect((await akosha.request("get_patterns", { category: "trend" })).patterns.at(-1)!.ended_at).not
      .toBeNull();
  });

  it("burst: is told when observations come much faster, once, and ends", async () => {
    const calm = Array.from({ length: 40 }, (_, index) => index * 60_000);
    const dense = Array.from({ length: 30 }, (_, index) => 40 * 60_000 + index * 500);
    const after = Array.from({ length: 12 }, (_, index) => 41 * 60_000 + index * 60_000);
    const observations = (times: number[]) =>
      times.map((time) => ({ metric: "calls", value: 1, at: at(time) }));
    await akosha.request("record_observations", { observations: observations([...calm, ...dense]) });
    const [burst] = (await akosha.request("get_patterns", { category: "burst" })).patterns;
    expect(burst).toMatchObject({ ended_at: null, evidence: { observations: 9, usual_gap_seconds: 60 } });
    const told = akosha.told().filter(({ event }) => event === "pattern.detected");
    expect(told.map(({ channels }) => channels)).toEqual([["patterns:burst"]]);
    await akosha.request("record_observations", { observations: observations(after) });
    const { patterns } = await akosha.request("get_patterns", { category: "burst" });
    expect(patterns).toHaveLength(1);
    expect(patterns[0]!.ended_at).not.toBeNull();
  });

  it("correlation: is told once for two series, and not for one that goes its own way", async () => {
    const mine = noise(60, 21);
    const own = noise(60, 22);
    const observations = mine.flatMap((value, index) => [
      { metric: "a", value, at: at(index * 60_000) },
      { metric: "b", value: 5 - 2 * value, at: at(index * 60_000) },
      { metric: "c", value: own[index]!, at: at(index * 60_000) },
    ]);
    await akosha.request("record_observations", { observations });
    const { patterns } = await akosha.request("get_patterns", { category: "correlation" });
    expect(patterns).toMatchObject([{ metrics: [{ metric: "a" }, { metric: "b" }], ended_at: null }]);
    expect(Number(patterns[0]!.evidence.coefficient)).toBeCloseTo(-1);
    const told = akosha.told().filter(({ event }) => event === "pattern.detected");
    expect(told.map(({ channels }) => channels)).toEqual([["patterns:correlation"]]);
  });
});

describe("an aggregation", () => {
  it("has the exact figures of its window, when a later observation ends it", async () => {
    const values = [5, 1, 4, 2, 3];
    const observations = values.map((value, index) => ({ metric: "m", value, at: at(index * 10_000) }));
    await akosha.request("record_observations", { observations });
    expect(akosha.told()).toEqual([]);
    await akosha.request("record_observations", {
      observations: [{ metric: "m", value: 9, at: at(90_000) }],
    });
    expect(akosha.told()).toMatchObject([{
      event: "aggregation.completed",
      channels: ["metrics"],
      data: {
        aggregation_type: "tumbling_window",
        record_count: 5,
        summary: {
          metric: "m",
          window: { start: at(0), end: at(60_000) },
          count: 5,
          min: 1,
          max: 5,
          mean: 3,
          p50: 3,
          p95: 4.8,
          p99: 4.96,
        },
      },
    }]);
  });

  it("comes by the clock where nothing more is observed", async () => {
    await akosha.feed("m", [1, 2, 3]);
    akosha.clock.advance(120_000);
    expect(akosha.told()).toMatchObject([{ event: "aggregation.completed", data: { record_count: 3 } }]);
    akosha.clock.advance(600_000);
    expect(akosha.told()).toEqual([]);
    expect((await akosha.request("get_aggregations", { metric: "m" })).count).toBe(1);
    expect((await akosha.request("get_aggregations", { metric: "other" })).count).toBe(0);
  });
});

describe("an observation that comes late", () => {
  it("takes its place by time within the allowance, and is counted", async () => {
    const observations = [0, 50, 70, 45].map((second) => ({
      metric: "m",
      value: second,
      at: at(second * 1_000),
    }));
    expect(await akosha.request("record_observations", { observations })).toMatchObject({
      recorded: 4,
      out_of_order: 1,
      late: 0,
    });
    await akosha.request("record_observations", {
      observations: [{ metric: "m", value: 1, at: at(95_000) }],
    });
    expect(akosha.told()).toMatchObject([{ data: { record_count: 3, summary: { max: 50 } } }]);
  });

  it("does not count past it, nor in a window that is over, and is counted as late", async () => {
    const record = (second: number) =>
      akosha.request("record_observations", {
        observations: [{ metric: "m", value: second, at: at(second * 1_000) }],
      });
    await record(0);
    await record(100);
    expect(await record(69)).toMatchObject({ recorded: 0, late: 1 });
    expect(await record(70)).toMatchObject({ recorded: 1, late: 0, out_of_order: 1 });
    expect((await akosha.request("list_metrics", {})).metrics).toMatchObject([
      { metric: "m", count: 3, last_value: 100, last_at: at(100_000), out_of_order: 1, late: 1 },
    ]);
  });
});

describe("state", () => {
  it("get_status tells the figures, and a finding by its id", async () => {
    await akosha.feed("m", [...repeated(20, 1), 50]);
    const { anomaly_id } = (await akosha.request("get_anomalies", {})).anomalies[0]!;
    expect(akosha.manager.getStatus({})).toEqual({ series: 1, feeds: {} });
    expect(akosha.manager.getStatus({ anomaly_id })).toMatchObject({ status: "found", anomaly_id });
    expect(akosha.manager.getStatus({ anomaly_id: "none" })).toEqual({
      status: "not_found",
      anomaly_id: "none",
    });
  });

  it("snapshot() shows what was found last behind each channel", async () => {
    await akosha.feed("m", [...repeated(20, 1), ...repeated(20, 50)]);
    akosha.clock.advance(120_000);
    expect(akosha.manager.snapshot("anomalies", null)).toMatchObject({ anomalies: [{}] });
    expect(akosha.manager.snapshot("insights", null)!.insights).toHaveLength(2);
    expect(akosha.manager.snapshot("patterns", "change_point")!.patterns).toHaveLength(1);
    expect(akosha.manager.snapshot("patterns", "trend")).toEqual({ patterns: [] });
    expect(akosha.manager.snapshot("metrics", null)).toMatchObject({ aggregations: [{}] });
    expect(akosha.manager.snapshot("global", null)).toBeNull();
  });

  it("lists page through all rows, newest first", async () => {
    for (const metric of ["a", "b", "c"]) await akosha.feed(metric, [1]);
    const first = await akosha.request("list_metrics", { limit: 2 });
    expect(first.metrics.map(({ metric }) => metric)).toEqual(["c", "b"]);
    const second = await akosha.request("list_metrics", { limit: 2, cursor: first.next_cursor });
    expect(second).toMatchObject({ metrics: [{ metric: "a" }], next_cursor: null });
  });
});
