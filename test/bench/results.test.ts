import { describe, expect, test } from "vitest";
import { BARS, judge } from "../../bench/bars.ts";
import { DelaySample } from "../../bench/load/delays.ts";
import { Results } from "../../bench/results.ts";
import { fanOutRow } from "../../bench/rows/fan-out.ts";
import { saturatedRow } from "../../bench/rows/saturated.ts";
import { titleOf } from "../../bench/suite.ts";
import { barTable, reasonLines, resultTable } from "../../bench/table.ts";

const [node, ws] = [titleOf("node"), titleOf("ws")];

describe("Results", () => {
  test("Results gives the median of the rounds, and of ratios that of the rounds' ratios", () => {
    const results = new Results();
    for (const [ours, theirs] of [[1, 10], [4, 8], [9, 30]] as const) {
      results.add("row", "us", { cpuUs: ours, lost: ours });
      results.add("row", "them", { cpuUs: theirs });
    }
    expect(results.median("row", "us", "cpuUs")).toBe(4);
    expect(results.ratio("cpuUs", { row: "row", contestant: "us" }, { row: "row", contestant: "them" })).toBe(
      0.3,
    );
    expect(results.most("row", "us", "lost")).toBe(9);
    expect(results.rounds("row", "us")).toBe(3);
  });

  test("Results says that it does not know what was not measured", () => {
    const results = new Results();
    results.add("row", "us", { cpuUs: 1 });
    expect(results.median("row", "us", "p99")).toBeNull();
    expect(results.median("row", "them", "cpuUs")).toBeNull();
    expect(results.ratio("p99", { row: "row", contestant: "us" }, { row: "row", contestant: "us" }))
      .toBeNull();
    expect(results.most("other", "us", "lost")).toBeNull();
  });
});

describe("judge", () => {
  const row = fanOutRow(500, 1);

  function judged(cpuUs: number): ReturnType<typeof judge> {
    const results = new Results();
    results.add(row, node, { cpuUs, p99: 1, lost: 0 });
    results.add(row, ws, { cpuUs: 10, p99: 2 });
    return judge(results);
  }

  test("judge holds bars against what was measured, and leaves out the others", () => {
    expect(judged(8).map(({ what, verdict }) => [what, verdict])).toEqual([
      [`CPU per delivery: Node, single events to 500 : ${ws}`, "holds"],
      [`p99 of single events to 500, Node : ${ws}`, "holds"],
      [`lost: ${row}, Node`, "holds"],
    ]);
    expect(judged(8).length).toBeLessThan(BARS.length);
  });

  test("judge tells a bar that is short of its goal for a reason from one that is missed", () => {
    expect(judged(9)[0]).toMatchObject({ verdict: "short", measured: 0.9, limit: 0.8 });
    expect(judged(12.5)[0]).toMatchObject({ verdict: "missed", measured: 1.25 });
    const [short, missed] = [reasonLines(judged(9)), reasonLines(judged(12.5))];
    expect(short[0]).toBe(`${BARS[0]!.short!.why}:`);
    expect(missed[0]).toMatch(/^NOT EXPLAINED/);
    for (const lines of [short, missed]) expect(lines.slice(1)).toEqual([`  ${BARS[0]!.what}`]);
    expect(reasonLines(judged(8))).toEqual([]);
  });

  test("judge explains nothing that no bar allows: each explained limit is beyond its goal", () => {
    for (const { what, sense, limit, short } of BARS) {
      if (short) {
        expect(sense === "at most" ? short.limit - limit : limit - short.limit, what).toBeGreaterThan(0);
      }
    }
  });

  test("judge counts no delivery that comes later than 50 ms, on either side", () => {
    const results = new Results();
    const add = (window: number, who: string, perSecond: number, p99: number) =>
      results.add(saturatedRow(window), who, { perSecond, p99, lost: 0 });
    for (const window of [1, 4]) add(window, node, 100, 1);
    add(16, node, 1_000, 51);
    add(1, ws, 10, 50);
    add(4, ws, 1_000, 51);
    add(16, ws, 1_000, 51);
    const saturated = judge(results).filter(({ what }) => what.endsWith(`best of ${ws}`));
    expect(saturated.map(({ measured, verdict }) => [measured, verdict])).toEqual([
      [0, "short"],
      [10, "missed"],
    ]);
  });

  test("its tables show each figure in its column, and what is missed", () => {
    const results = new Results();
    results.add(row, node, { cpuUs: 9, perSecond: 12_345.6 });
    results.add(row, ws, { cpuUs: 10 });
    const [head, , title, first] = resultTable(results);
    expect(title).toBe(row);
    expect(first!.indexOf("12,346") + 6).toBe(head!.indexOf("per second") + 10);
    expect(barTable(judge(results))[1]).toMatch(/^SHORT {3}CPU per delivery.* 0\.900 +at most 0\.8 ×$/);
  });
});

describe("DelaySample", () => {
  test("DelaySample looks at one of so many, and tells shares of what it has seen", () => {
    const delays = new DelaySample(3);
    const seen = Array.from({ length: 7 }, () => delays.next());
    expect(seen).toEqual([true, false, false, true, false, false, true]);
    for (let ms = 20_000; ms > 0; ms--) delays.add(ms);
    expect(delays.figures()).toEqual({ p50: 10_000, p99: 19_800, p999: 19_980, max: 20_000 });
  });
});
