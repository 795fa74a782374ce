import { afterEach, describe, expect, it } from "vitest";
import { normal } from "./planted-series.ts";
import { type Started, startManager } from "./started-manager.ts";

let akosha: Started;
afterEach(() => akosha.stop());

const record = (...observations: object[]) => akosha.request("record_observations", { observations });

/** Everything that requests can tell. */
const all = async () => ({
  metrics: await akosha.request("list_metrics", {}),
  anomalies: await akosha.request("get_anomalies", {}),
  patterns: await akosha.request("get_patterns", {}),
  insights: await akosha.request("get_insights", {}),
  aggregations: await akosha.request("get_aggregations", {}),
});

describe("record_observations refuses", () => {
  it.each([
    ["NaN", { value: NaN }],
    ["infinity", { value: Infinity }],
    ["infinity below", { value: -Infinity }],
    ["a number too large to reckon with", { value: 1e101 }],
    ["a number as text", { value: "1" }],
    ["an integer past what a number holds", { value: 12345678901234567890n }],
    ["no number", { value: null }],
  ])("%s as a value, and names the field", async (_, more) => {
    akosha = await startManager();
    await expect(record({ metric: "m", ...more })).rejects.toThrow(/observations\.0\.value/);
  });

  it.each([
    "",
    "yesterday",
    "2026-13-40T00:00:00Z",
    "2026-01-01T00:00:00",
    "1000-01-01",
    "9999-01-01",
    "2026-01-01T00:05:01Z",
  ])(
    "the time %j, and names the field",
    async (at) => {
      akosha = await startManager();
      await expect(record({ metric: "m", value: 1 }, { metric: "m", value: 1, at })).rejects.toThrow(
        /observations\.1\.at/,
      );
      expect((await all()).metrics.count).toBe(0);
    },
  );

  it("takes a time up to its allowance ahead of the clock", async () => {
    akosha = await startManager();
    expect(await record({ metric: "m", value: 1, at: "2026-01-01T00:05:00Z" })).toMatchObject({
      recorded: 1,
    });
  });

  it.each([
    ["metric", { metric: "a b" }],
    ["metric", { metric: "x".repeat(201) }],
    ["source", { source: "" }],
    ["labels", { labels: { "no good": "x" } }],
    ["labels", { labels: { a: "x".repeat(257) } }],
    ["labels", { labels: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`l${i}`, ""])) }],
  ])("a malformed %s", async (field, more) => {
    akosha = await startManager();
    await expect(record({ metric: "m", value: 1, ...more })).rejects.toThrow(
      new RegExp(`observations\\.0\\.${field}`),
    );
  });

  it("no observations, and more than 1,000", async () => {
    akosha = await startManager();
    await expect(record()).rejects.toThrow(/observations/);
    const many = Array.from({ length: 1_001 }, () => ({ metric: "m", value: 1 }));
    await expect(record(...many)).rejects.toThrow(/observations/);
    expect(await record(...many.slice(1))).toMatchObject({ recorded: 1_000 });
  });

  it("label values without end, saying which bound it was, and changes nothing", async () => {
    akosha = await startManager({ series: 8, series_per_metric: 5 });
    const user = (n: number, metric = "logins") => ({ metric, value: n, labels: { user: `user-${n}` } });
    for (let n = 0; n < 5; n++) await record(user(n));
    const before = await all();
    await expect(record(user(1), user(5))).rejects.toThrow(
      /metric 'logins': it has 5 sets .*series_per_metric/,
    );
    expect(await all()).toEqual(before);
    for (let n = 0; n < 3; n++) await record(user(n, "other"));
    await expect(record({ metric: "third", value: 1 })).rejects.toThrow(/there are 8, which is the most/);
    expect(await record(user(1), user(2))).toMatchObject({ recorded: 2 });
  });

  it("no series where one that was silent for long can make room", async () => {
    akosha = await startManager({ series: 2, series_idle_seconds: 60 });
    await record({ metric: "old", value: 1 });
    akosha.clock.advance(50_000);
    await record({ metric: "young", value: 1 });
    await expect(record({ metric: "new", value: 1 })).rejects.toThrow(/series/);
    akosha.clock.advance(20_000);
    await record({ metric: "new", value: 1 });
    const names = (await all()).metrics.metrics.map(({ metric }) => metric);
    expect(names).toEqual(["new", "young"]);
  });
});

describe("a commit that fails", () => {
  it("leaves what detectors know as it was", async () => {
    akosha = await startManager();
    const noise = normal(4);
    const values = Array.from({ length: 40 }, () => 100 + noise());
    await akosha.feed("m", values);
    const before = await all();
    akosha.database.exec(
      "CREATE TRIGGER full BEFORE INSERT ON insights BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    );
    // Half of it has been taken over when the insight fails.
    const batch = [...Array.from({ length: 30 }, () => ({ metric: "m", value: 150 })), {
      metric: "new",
      value: 1,
    }];
    await expect(record(...batch)).rejects.toThrow();
    expect(akosha.told()).toEqual([]);
    akosha.database.exec("DROP TRIGGER full");
    expect(await all()).toEqual(before);
    // 150 stands out all the same: it never became what is usual.
    expect(await akosha.feed("m", [150])).toEqual(["anomaly.detected", "insight.generated"]);
  });
});

describe("a restart", () => {
  it.each(["orderly", undefined] as const)("forgets nothing (%s)", async (orderly) => {
    const noise = normal(9);
    const values = Array.from({ length: 200 }, (_, index) => (index < 120 ? 0 : 3) + noise());
    values[60] = 30;
    values[61] = 31;
    const run = async (restart: boolean) => {
      akosha = await startManager();
      const events: string[] = [];
      for (const [index, value] of values.entries()) {
        events.push(...await akosha.feed("m", [value]));
        if (restart && index % 7 === 0) await akosha.restart(orderly);
      }
      const metrics = (await all()).metrics.metrics;
      const { patterns } = await akosha.request("get_patterns", {});
      return { events, metrics, evidence: patterns.map(({ evidence }) => evidence) };
    };
    const unbroken = await run(false);
    await akosha.stop();
    expect(unbroken.events).toContain("pattern.detected");
    expect(await run(true)).toEqual(unbroken);
  });
});

describe("memory", () => {
  it("is bounded: of each series so many observations are kept, and of findings so many", async () => {
    akosha = await startManager({
      observations_per_series: 256,
      findings_kept: 3,
      aggregations_kept: 2,
      window_seconds: 1,
      lateness_seconds: 0,
    });
    for (let round = 0; round < 8; round++) {
      await akosha.feed("m", [...Array<number>(60).fill(0), 9 ** (round + 1), 0, 0, 0, 0, 0]);
    }
    const { count } = akosha.database.prepare("SELECT count(*) AS count FROM observations").get<
      { count: number }
    >()!;
    expect(Number(count)).toBeLessThanOrEqual(256 + 64);
    const { anomalies, aggregations } = await all();
    expect(anomalies.count).toBe(3);
    expect(aggregations.count).toBe(2);
    expect((await all()).metrics.metrics[0]!.count).toBe(8 * 66);
  });
});

describe("correlations", () => {
  it("are looked for among so many series, and one that has fallen silent makes room", async () => {
    akosha = await startManager({ correlated_series: 2 });
    const shared = Array.from({ length: 30 }, normal(31));
    const move = (metrics: readonly string[], startMinute: number) =>
      record(...shared.flatMap((value, index) =>
        metrics.map((metric) => ({
          metric,
          value,
          at: new Date(Date.UTC(2025, 0, 1) + (startMinute + index) * 60_000).toISOString(),
        }))
      ));
    const pairs = async () =>
      (await akosha.request("get_patterns", { category: "correlation" })).patterns.map(({ metrics }) =>
        metrics.map(({ metric }) => metric).join(" ")
      );
    await move(["a", "b", "c"], 0);
    expect(await pairs()).toEqual(["a b"]);
    await move(["c", "d"], 200);
    expect(await pairs()).toEqual(["c d", "a b"]);
  });
});
