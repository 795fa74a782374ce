/**
 * The dashboard of deploy/grafana asks for nothing that a running server does not give.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SERVICE_PORTS } from "../../src/protocol/service-ports.ts";
import type { Parsed } from "../support/prometheus-text.ts";
import { faultsOf, resultLabels, selectorsOf } from "../support/promql.ts";
import { type RunningServices, startServices } from "./running-services.ts";

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly datasource: { readonly type: string; readonly uid: string };
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Target[];
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly allValue?: string;
  readonly includeAll: boolean;
  readonly query: unknown;
}

const dashboard = JSON.parse(
  readFileSync(new URL("../../deploy/grafana/mcp-realtime.json", import.meta.url), "utf8"),
) as {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
};
const panels = dashboard.panels.filter(({ type }) => type !== "row");
const targets = panels.flatMap(({ title, targets = [] }) =>
  targets.map((target) => ({ name: `${title} ${target.refId}`, ...target }))
);
const server = dashboard.templating.list.find(({ name }) => name === "server")!;

/** A query as Grafana sends it when these services are chosen. */
const filledIn = (expr: string, services = server.allValue!) =>
  expr.replaceAll("$__rate_interval", "1m").replaceAll("$server", services);

let services: RunningServices;
let metrics: Parsed;
beforeAll(async () => {
  services = await startServices();
  metrics = await services.metrics();
}, 120_000);
afterAll(() => services?.stop());

describe("the dashboard", () => {
  test("has panels, each at a place of its own and with a query", () => {
    expect(panels.length).toBeGreaterThan(20);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const taken = new Set<string>();
    for (const { title, gridPos: { x, y, w, h }, targets } of panels) {
      expect(x + w, title).toBeLessThanOrEqual(24);
      for (let column = x; column < x + w; column++) {
        for (let line = y; line < y + h; line++) {
          expect(taken.has(`${column} ${line}`), `${title} at ${column} ${line}`).toBe(false);
          taken.add(`${column} ${line}`);
        }
      }
      expect(targets?.length, title).toBeGreaterThan(0);
    }
  });

  test.each(targets)("panel $name asks for what a running server gives", ({ expr, datasource }) => {
    expect(faultsOf(filledIn(expr), metrics)).toEqual([]);
    expect(datasource).toEqual({ type: "prometheus", uid: "${datasource}" });
  });

  test.each(targets)("panel $name shows the chosen services and no others", ({ expr }) => {
    for (const { metric, matchers } of selectorsOf(filledIn(expr, "akosha|dhruva"))) {
      expect(matchers, metric).toContainEqual({ label: "server", op: "=~", value: "akosha|dhruva" });
    }
  });

  test.each(targets)("panel $name has a legend of labels that its series have", ({ expr, legendFormat }) => {
    const labels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!);
    expect(resultLabels(filledIn(expr), metrics)).toEqual(expect.arrayContaining(labels));
  });

  test("has a variable for the services that knows all six, and one for the data source", () => {
    expect(server).toMatchObject({ type: "query", includeAll: true });
    const query = (server.query as { query: string }).query;
    const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec(query)!;
    const values = metrics.samples.filter(({ name }) => name === metric).map(({ labels }) => labels[label!]);
    expect([...new Set(values)].sort()).toEqual(Object.keys(SERVICE_PORTS).sort());
    for (const value of values) expect(value).toMatch(new RegExp(`^(?:${server.allValue})$`));
    expect(dashboard.templating.list).toContainEqual(
      expect.objectContaining({ name: "datasource", type: "datasource", query: "prometheus" }),
    );
  });
});
